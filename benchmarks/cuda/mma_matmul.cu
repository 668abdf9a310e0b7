// c = a * b on matrix units: bf16 in, f32 out, (m, k) by (k, n), multiples of the tiles.
// Blocks of 256 threads make 128 by 128 of c; cp.async fills one pair of tiles while
// ldmatrix and mma.sync work on the other.
#ifndef INDEX
#define INDEX int
#endif
typedef unsigned short bf16;

__device__ __forceinline__ void copy(const bf16 *to, const bf16 *from) {
    unsigned at = (unsigned)__cvta_generic_to_shared(to);
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16;" ::"r"(at), "l"(from) : "memory");
}

__device__ __forceinline__ void load(unsigned (&r)[4], const bf16 *from) {
    unsigned at = (unsigned)__cvta_generic_to_shared(from);
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3]) : "r"(at) : "memory");
}

__device__ __forceinline__ void load_transposed(unsigned (&r)[4], const bf16 *from) {
    unsigned at = (unsigned)__cvta_generic_to_shared(from);
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3]) : "r"(at) : "memory");
}

__device__ __forceinline__ void multiply(float (&c)[4], const unsigned (&a)[4], const unsigned *b) {
    asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, "
                 "{%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
                 : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
                 : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}

__device__ __forceinline__ void copy_tiles(bf16 (&tile_a)[128][40], bf16 (&tile_b)[32][136],
                                           const bf16 *a, const bf16 *b, INDEX n, INDEX k,
                                           INDEX row, INDEX column, INDEX start) {
    int t = threadIdx.x;
    #pragma unroll
    for (int part = 0; part < 2; part++) {
        int r = t / 4 + 64 * part, s = t % 4 * 8;
        copy(&tile_a[r][s], a + (row + r) * k + start + s);
        r = t / 16 + 16 * part, s = t % 16 * 8;
        copy(&tile_b[r][s], b + (start + r) * n + column + s);
    }
    asm volatile("cp.async.commit_group;");
}

extern "C" __global__ void __launch_bounds__(256)
mma_matmul(const bf16 *a, const bf16 *b, float *c, INDEX m, INDEX n, INDEX k) {
    __shared__ __align__(16) bf16 tile_a[2][128][40], tile_b[2][32][136];
    int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
    INDEX row = (INDEX)blockIdx.y * 128, column = (INDEX)blockIdx.x * 128;
    int warp_row = warp / 4 * 64, warp_column = warp % 4 * 32;
    float sums[4][4][4] = {};
    copy_tiles(tile_a[0], tile_b[0], a, b, n, k, row, column, 0);
    int stage = 0;
    for (INDEX start = 32; start < k + 32; start += 32) {
        if (start < k) {
            copy_tiles(tile_a[1 - stage], tile_b[1 - stage], a, b, n, k, row, column, start);
            asm volatile("cp.async.wait_group 1;");
        } else {
            asm volatile("cp.async.wait_group 0;");
        }
        __syncthreads();
        #pragma unroll
        for (int step = 0; step < 32; step += 16) {
            unsigned right[2][4], left[4];
            load_transposed(right[0], &tile_b[stage][step + lane % 16][warp_column + lane / 16 * 8]);
            load_transposed(right[1], &tile_b[stage][step + lane % 16][warp_column + 16 + lane / 16 * 8]);
            #pragma unroll
            for (int i = 0; i < 4; i++) {
                load(left, &tile_a[stage][warp_row + 16 * i + lane % 16][step + lane / 16 * 8]);
                #pragma unroll
                for (int j = 0; j < 4; j++)
                    multiply(sums[i][j], left, &right[j / 2][j % 2 * 2]);
            }
        }
        __syncthreads();
        stage = 1 - stage;
    }
    INDEX r = row + warp_row + lane / 4, s = column + warp_column + lane % 4 * 2;
    #pragma unroll
    for (int i = 0; i < 4; i++)
        #pragma unroll
        for (int j = 0; j < 4; j++)
            #pragma unroll
            for (int e = 0; e < 4; e++)
                c[(r + 16 * i + e / 2 * 8) * n + s + 8 * j + e % 2] = sums[i][j][e];
}
