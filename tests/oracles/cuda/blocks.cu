// Kernels whose threads share memory and barriers.

extern "C" __global__ void reduce(const float *x, float *out, int n) {
    __shared__ float s[32];
    float v = 0;
    for (int i = threadIdx.x; i < n; i += blockDim.x) v += x[i];
    for (int d = 16; d; d >>= 1) v += __shfl_xor_sync(~0u, v, d);
    if ((threadIdx.x & 31) == 0) s[threadIdx.x / 32] = v;
    __syncthreads();
    if (threadIdx.x < 32) {
        v = threadIdx.x < blockDim.x / 32 ? s[threadIdx.x] : 0;
        for (int d = 16; d; d >>= 1) v += __shfl_down_sync(~0u, v, d);
        if (threadIdx.x == 0) out[blockIdx.x] = v;
    }
}

extern "C" __global__ void transpose(const float *x, float *y, int rows, int columns) {
    __shared__ float tile[16][17];
    int r = blockIdx.y * 16 + threadIdx.y, c = blockIdx.x * 16 + threadIdx.x;
    if (r < rows && c < columns) tile[threadIdx.y][threadIdx.x] = x[r * columns + c];
    __syncthreads();
    r = blockIdx.x * 16 + threadIdx.y, c = blockIdx.y * 16 + threadIdx.x;
    if (r < columns && c < rows) y[r * rows + c] = tile[threadIdx.x][threadIdx.y];
}

extern "C" __global__ void reverse(int *x) {
    extern __shared__ int buffer[];
    buffer[threadIdx.x] = x[threadIdx.x];
    __syncthreads();
    x[threadIdx.x] = buffer[blockDim.x - 1 - threadIdx.x];
}

extern "C" __global__ void histogram(const unsigned char *x, unsigned *counts, int n) {
    __shared__ unsigned bins[64];
    for (int i = threadIdx.x; i < 64; i += blockDim.x) bins[i] = 0;
    __syncthreads();
    for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x)
        atomicAdd(&bins[x[i] & 63], 1);
    __syncthreads();
    for (int i = threadIdx.x; i < 64; i += blockDim.x) atomicAdd(&counts[i], bins[i]);
}

extern "C" __global__ void scan(int *x) {
    __shared__ int s[2][128];
    int t = threadIdx.x, from = 0;
    s[0][t] = x[t];
    for (int d = 1; d < 128; d *= 2) {
        __syncthreads();
        s[1 - from][t] = s[from][t] + (t >= d ? s[from][t - d] : 0);
        from = 1 - from;
    }
    x[t] = s[from][t];
}

extern "C" __global__ void matmul(const float *a, const float *b, float *c, int n) {
    __shared__ float s[8][8], t[8][8];
    int x = threadIdx.x, y = threadIdx.y, row = blockIdx.y * 8 + y, column = blockIdx.x * 8 + x;
    float sum = 0;
    for (int k = 0; k < n; k += 8) {
        s[y][x] = a[row * n + k + x];
        t[y][x] = b[(k + y) * n + column];
        __syncthreads();
        for (int i = 0; i < 8; i++) sum += s[y][i] * t[i][x];
        __syncthreads();
    }
    c[row * n + column] = sum;
}

extern "C" __global__ void bitonic(int *x) {
    __shared__ int s[64];
    int t = threadIdx.x;
    s[t] = x[t];
    for (int k = 2; k <= 64; k *= 2)
        for (int j = k / 2; j; j /= 2) {
            __syncthreads();
            int other = t ^ j;
            if (other > t && (s[t] > s[other]) == ((t & k) == 0)) {
                int swap = s[t];
                s[t] = s[other];
                s[other] = swap;
            }
        }
    __syncthreads();
    x[t] = s[t];
}

extern "C" __global__ void block_votes(const int *x, int *out) {
    int p = x[threadIdx.x] > 0;
    int count = __syncthreads_count(p), all = __syncthreads_and(p), any = __syncthreads_or(p);
    if (threadIdx.x == 7) out[0] = count, out[1] = all, out[2] = any;
}

extern "C" __global__ void copy_async(const int4 *x, int *y) {
    __shared__ int4 stage[2][64];
    int t = threadIdx.x;
    unsigned at[2];
    for (int i = 0; i < 2; i++) {
        at[i] = (unsigned)__cvta_generic_to_shared(&stage[i][t]);
        asm volatile("cp.async.cg.shared.global [%0], [%1], 16;" ::"r"(at[i]), "l"(x + 64 * i + t));
        asm volatile("cp.async.commit_group;");
    }
    asm volatile("cp.async.wait_group 1;" ::: "memory");
    __syncthreads();
    int first = stage[0][63 - t].x;
    asm volatile("cp.async.wait_all;" ::: "memory");
    __syncthreads();
    y[t] = first + 10 * stage[1][63 - t].w;
}

extern "C" __global__ void producer_consumer(const int *x, int *y) {
    __shared__ int s[32];
    int warp = threadIdx.x / 32, lane = threadIdx.x % 32;
    if (warp == 0) {
        s[31 - lane] = x[lane] * 3;
        asm volatile("bar.arrive 1, 64;" ::: "memory");
    } else {
        asm volatile("bar.sync 1, 64;" ::: "memory");
        y[lane] = s[lane];
    }
}

extern "C" __global__ void atomics(int *a, float *f, double *d, unsigned long long *l, unsigned *r) {
    int t = threadIdx.x;
    atomicAdd(&f[t & 1], 0.5f);
    atomicAdd(&d[0], 0.25);
    atomicMin(&a[0], t - 7);
    atomicMax(&a[1], t);
    atomicAnd(&a[2], ~(1 << (t & 15)));
    atomicOr(&a[3], 1 << (t & 31));
    atomicXor(&a[4], t);
    r[t] = atomicInc((unsigned *)&a[5], 10);
    atomicDec((unsigned *)&a[6], 10);
    atomicAdd(&l[0], 1ull << 33);
    atomicMax((long long *)&l[1], (long long)t - 100);
    int old = a[7], seen;
    do {
        seen = old;
        old = atomicCAS(&a[7], seen, seen * 3 + 1);
    } while (old != seen);
    atomicExch(&a[8], 42);
}
