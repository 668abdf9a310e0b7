// Sum: a stride of the grid, then shuffles, then shared memory, then one atomic a block.
#ifndef INDEX
#define INDEX int
#endif
extern "C" __global__ void reduction(const float *x, float *out, INDEX n) {
    __shared__ float partial[8];
    float mine = 0.0f;
    for (INDEX i = (INDEX)blockIdx.x * blockDim.x + threadIdx.x; i < n; i += (INDEX)gridDim.x * blockDim.x)
        mine += x[i];
    for (int step = 16; step > 0; step /= 2)
        mine += __shfl_xor_sync(0xffffffffu, mine, step);
    if (threadIdx.x % 32 == 0)
        partial[threadIdx.x / 32] = mine;
    __syncthreads();
    if (threadIdx.x == 0) {
        float whole = 0.0f;
        for (int k = 0; k < 8; k++)
            whole += partial[k];
        atomicAdd(out, whole);
    }
}
