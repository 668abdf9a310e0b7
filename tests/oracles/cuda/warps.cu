// Kernels with warp-wide operations and irregular control flow.
#include <cstdio>

extern "C" __global__ void warp_scan(int *x) {
    int v = x[threadIdx.x], lane = threadIdx.x & 31;
    for (int d = 1; d < 32; d *= 2) {
        int u = __shfl_up_sync(~0u, v, d);
        if (lane >= d) v += u;
    }
    x[threadIdx.x] = v;
}

extern "C" __global__ void votes(const int *x, unsigned *out) {
    int v = x[threadIdx.x], lane = threadIdx.x;
    unsigned *o = out + 8 * lane;
    o[0] = __ballot_sync(~0u, v > 3);
    o[1] = __any_sync(~0u, v > 8) + 2 * __all_sync(~0u, v >= 0);
    o[2] = __match_any_sync(~0u, v);
    int all;
    o[3] = __match_all_sync(~0u, v / 100, &all) + all;
    o[4] = __reduce_add_sync(~0u, v);
    o[5] = __reduce_max_sync(~0u, (unsigned)v);
    o[6] = __shfl_sync(~0u, v, lane + 5, 8);
    o[7] = 0;
    if (lane % 3 == 0) o[7] = __activemask() + __reduce_xor_sync(0x49249249, v);
}

extern "C" __global__ void collatz(const int *x, int *y, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    int v = x[i], steps = 0;
    while (v != 1) {
        v = v % 2 ? 3 * v + 1 : v / 2;
        if (++steps > 200) break;
    }
    y[i] = steps;
}

__noinline__ __device__ int fibonacci(int n) {
    return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2);
}

extern "C" __global__ void recursion(int *y) { y[threadIdx.x] = fibonacci(threadIdx.x % 7); }

__noinline__ __device__ int twice(int v) { return 2 * v; }
__noinline__ __device__ int square(int v) { return v * v; }
__noinline__ __device__ int minus(int v) { return -v; }
__device__ int (*const table[3])(int) = {twice, square, minus};

extern "C" __global__ void pointers(const int *x, int *y) {
    y[threadIdx.x] = table[x[threadIdx.x] % 3](x[threadIdx.x]);
}

struct Big {
    int v[6];
};

__noinline__ __device__ Big rotate(Big b, int by) {
    Big r;
    for (int i = 0; i < 6; i++) r.v[i] = b.v[(i + by) % 6];
    return r;
}

extern "C" __global__ void by_value(const int *x, int *y) {
    Big b;
    for (int i = 0; i < 6; i++) b.v[i] = x[i] + threadIdx.x;
    Big r = rotate(b, threadIdx.x);
    for (int i = 0; i < 6; i++) y[6 * threadIdx.x + i] = r.v[i];
}

extern "C" __global__ void switches(const int *x, int *y) {
    int v = x[threadIdx.x];
    switch (v) {
    case 0: v = 7; break;
    case 1: v = y[1] - v; break;
    case 2: v = v * v + 3; // falls through
    case 3: v ^= 0x55; break;
    case 4: v = -v; break;
    case 5: v = v << 4; break;
    case 6: v = y[0]; break;
    case 7: v = v / 3; break;
    default: v = 99;
    }
    __syncwarp();
    y[32 + threadIdx.x] = v;
}

extern "C" __global__ void spin_lock(int *lock, int *value) {
    while (atomicCAS(lock, 0, 1) != 0) {
    }
    int v = *(volatile int *)value;
    *(volatile int *)value = v + threadIdx.x;
    __threadfence();
    atomicExch(lock, 0);
}

extern "C" __global__ void prints(double v) {
    if (threadIdx.x < 2) printf("thread %d: %5.2f %s %llu%%\n", threadIdx.x, v, "text", 1ull << 40);
}
