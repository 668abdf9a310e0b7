// c = a * b by tiles of 16 by 16 in shared memory, for any shape: (m, k) by (k, n).
#ifndef INDEX
#define INDEX int
#endif
extern "C" __global__ void matmul(const float *a, const float *b, float *c, INDEX m, INDEX n, INDEX k) {
    __shared__ float tile_a[16][16], tile_b[16][16];
    INDEX x = threadIdx.x, y = threadIdx.y;
    INDEX row = (INDEX)blockIdx.y * 16 + y, column = (INDEX)blockIdx.x * 16 + x;
    float total = 0.0f;
    for (INDEX start = 0; start < k; start += 16) {
        tile_a[y][x] = row < m && start + x < k ? a[row * k + start + x] : 0.0f;
        tile_b[y][x] = start + y < k && column < n ? b[(start + y) * n + column] : 0.0f;
        __syncthreads();
        for (INDEX i = 0; i < 16; i++)
            total += tile_a[y][i] * tile_b[i][x];
        __syncthreads();
    }
    if (row < m && column < n)
        c[row * n + column] = total;
}
