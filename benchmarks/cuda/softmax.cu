// Of each row; a block for each row, both reductions by shuffles and shared memory.
#ifndef INDEX
#define INDEX int
#endif
extern "C" __global__ void softmax(const float *x, float *out, INDEX columns) {
    __shared__ float partial[8];
    INDEX t = threadIdx.x, row = blockIdx.x;
    float top = -INFINITY;
    for (INDEX j = t; j < columns; j += 256)
        top = fmaxf(top, x[row * columns + j]);
    for (int step = 16; step > 0; step /= 2)
        top = fmaxf(top, __shfl_xor_sync(0xffffffffu, top, step));
    if (t % 32 == 0)
        partial[t / 32] = top;
    __syncthreads();
    for (int k = 0; k < 8; k++)
        top = fmaxf(top, partial[k]);
    __syncthreads();
    float total = 0.0f;
    for (INDEX j = t; j < columns; j += 256)
        total += expf(x[row * columns + j] - top);
    for (int step = 16; step > 0; step /= 2)
        total += __shfl_xor_sync(0xffffffffu, total, step);
    if (t % 32 == 0)
        partial[t / 32] = total;
    __syncthreads();
    total = 0.0f;
    for (int k = 0; k < 8; k++)
        total += partial[k];
    for (INDEX j = t; j < columns; j += 256)
        out[row * columns + j] = expf(x[row * columns + j] - top) / total;
}
