// Blocks of 32 by 8 threads, each with a tile of 32 by 32 in shared memory.
#ifndef INDEX
#define INDEX int
#endif
extern "C" __global__ void transpose(const float *x, float *out, INDEX rows, INDEX columns) {
    __shared__ float tile[32][33];
    INDEX tx = threadIdx.x, ty = threadIdx.y;
    INDEX column = (INDEX)blockIdx.x * 32 + tx, row = (INDEX)blockIdx.y * 32 + ty;
    for (int j = 0; j < 32; j += 8)
        if (row + j < rows && column < columns)
            tile[ty + j][tx] = x[(row + j) * columns + column];
    __syncthreads();
    column = (INDEX)blockIdx.y * 32 + tx;
    row = (INDEX)blockIdx.x * 32 + ty;
    for (int j = 0; j < 32; j += 8)
        if (row + j < columns && column < rows)
            out[(row + j) * rows + column] = tile[tx][ty + j];
}
