// 16- and 8-bit floats, and matrix instructions.
#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <mma.h>
#include <cuda_fp8.h>

extern "C" __global__ void halves(const half *x, const half *y, half *out, int n) {
    int i = threadIdx.x;
    if (i >= n) return;
    half *o = out + 6 * i;
    o[0] = x[i] + y[i];
    o[1] = x[i] * y[i];
    o[2] = __hfma(x[i], y[i], x[i]);
    o[3] = x[i] / y[i];
    o[4] = __hmax(x[i], y[i]);
    o[5] = __float2half_rz(__half2float(x[i]) * 1.0009765625f);
}

extern "C" __global__ void pairs(const half2 *x, half2 *out, float *sum) {
    int i = threadIdx.x;
    half2 v = __hfma2(x[i], x[i], __float2half2_rn(0.5f));
    out[i] = v;
    atomicAdd((half2 *)(sum + 1), __floats2half2_rn(1.0f, 2.0f));
    atomicAdd(sum, __low2float(v) - __high2float(v));
}

extern "C" __global__ void brains(const __nv_bfloat16 *x, __nv_bfloat16 *out, int n) {
    int i = threadIdx.x;
    if (i >= n) return;
    __nv_bfloat16 *o = out + 4 * i;
    o[0] = x[i] + __float2bfloat16(1.5f);
    o[1] = __hfma(x[i], x[i], x[i]);
    o[2] = __float2bfloat16(__bfloat162float(x[i]) * 3.1f);
    o[3] = hexp(x[i]);
}

extern "C" __global__ void eighths(const float *x, float *out) {
    __nv_fp8_e4m3 a(x[threadIdx.x]);
    __nv_fp8_e5m2 b(x[threadIdx.x]);
    out[2 * threadIdx.x] = float(a);
    out[2 * threadIdx.x + 1] = float(b);
}

using namespace nvcuda;

extern "C" __global__ void wmma_half(const half *a, const half *b, float *c) {
    wmma::fragment<wmma::matrix_a, 16, 16, 16, half, wmma::row_major> fa;
    wmma::fragment<wmma::matrix_b, 16, 16, 16, half, wmma::col_major> fb;
    wmma::fragment<wmma::accumulator, 16, 16, 16, float> fc;
    wmma::fill_fragment(fc, 1.0f);
    for (int k = 0; k < 32; k += 16) {
        wmma::load_matrix_sync(fa, a + k, 32);
        wmma::load_matrix_sync(fb, b + k, 32);
        wmma::mma_sync(fc, fa, fb, fc);
    }
    for (int i = 0; i < fc.num_elements; i++) fc.x[i] *= 2.0f;
    wmma::store_matrix_sync(c, fc, 16, wmma::mem_row_major);
}

extern "C" __global__ void wmma_bytes(const signed char *a, const signed char *b, int *c) {
    __shared__ int s[256];
    wmma::fragment<wmma::matrix_a, 16, 16, 16, signed char, wmma::row_major> fa;
    wmma::fragment<wmma::matrix_b, 16, 16, 16, signed char, wmma::row_major> fb;
    wmma::fragment<wmma::accumulator, 16, 16, 16, int> fc;
    wmma::fill_fragment(fc, 0);
    wmma::load_matrix_sync(fa, a, 16);
    wmma::load_matrix_sync(fb, b, 16);
    wmma::mma_sync(fc, fa, fb, fc);
    wmma::store_matrix_sync(s, fc, 16, wmma::mem_col_major);
    __syncwarp();
    for (int i = threadIdx.x; i < 256; i += 32) c[i] = s[i];
}

// D (16×8) = A (16×16) B (16×8) with ldmatrix, and D stored by the lanes as the ISA lays it out.
extern "C" __global__ void mma_half(const half *a, const half *b, float *d) {
    __shared__ __align__(16) half sa[16 * 16], sb[16 * 8];
    int t = threadIdx.x;
    for (int i = t; i < 256; i += 32) sa[i] = a[i];
    for (int i = t; i < 128; i += 32) sb[i] = b[i];
    __syncwarp();
    unsigned ra[4], rb[2];
    unsigned pa = (unsigned)__cvta_generic_to_shared(sa + (t % 16) * 16 + (t / 16) * 8);
    unsigned pb = (unsigned)__cvta_generic_to_shared(sb + (t % 16) * 8);
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];"
                 : "=r"(ra[0]), "=r"(ra[1]), "=r"(ra[2]), "=r"(ra[3]) : "r"(pa));
    asm volatile("ldmatrix.sync.aligned.m8n8.x2.trans.shared.b16 {%0,%1}, [%2];"
                 : "=r"(rb[0]), "=r"(rb[1]) : "r"(pb));
    float c[4] = {0, 0, 0, 0};
    asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0,%1,%2,%3}, "
                 "{%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
                 : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
                 : "r"(ra[0]), "r"(ra[1]), "r"(ra[2]), "r"(ra[3]), "r"(rb[0]), "r"(rb[1]));
    int g = t / 4, u = t % 4;
    d[g * 8 + 2 * u] = c[0], d[g * 8 + 2 * u + 1] = c[1];
    d[(g + 8) * 8 + 2 * u] = c[2], d[(g + 8) * 8 + 2 * u + 1] = c[3];
}

// D (8×8) = A (8×4) B (4×8) in f64, and D (16×8) = A (16×32) B (32×8) of bytes.
extern "C" __global__ void mma_others(const double *a, const double *b, double *d,
                                      const int *e, const int *f, int *h) {
    int t = threadIdx.x, g = t / 4, u = t % 4;
    double c0 = 0, c1 = 0;
    asm volatile("mma.sync.aligned.m8n8k4.row.col.f64.f64.f64.f64 {%0,%1}, {%2}, {%3}, {%0,%1};"
                 : "+d"(c0), "+d"(c1) : "d"(a[g * 4 + u]), "d"(b[u * 8 + g]));
    d[g * 8 + 2 * u] = c0, d[g * 8 + 2 * u + 1] = c1;
    int c[4] = {1, 1, 1, 1};
    // Rows of A are 8 words of 4 bytes; B is given by columns.
    asm volatile("mma.sync.aligned.m16n8k32.row.col.s32.s8.u8.s32 {%0,%1,%2,%3}, "
                 "{%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
                 : "+r"(c[0]), "+r"(c[1]), "+r"(c[2]), "+r"(c[3])
                 : "r"(e[g * 8 + u]), "r"(e[(g + 8) * 8 + u]), "r"(e[g * 8 + u + 4]),
                   "r"(e[(g + 8) * 8 + u + 4]), "r"(f[g * 8 + u]), "r"(f[g * 8 + u + 4]));
    h[g * 8 + 2 * u] = c[0], h[g * 8 + 2 * u + 1] = c[1];
    h[(g + 8) * 8 + 2 * u] = c[2], h[(g + 8) * 8 + 2 * u + 1] = c[3];
}

// D (16×8) = A (16×8) B (8×8) in tf32.
extern "C" __global__ void mma_tf32(const float *a, const float *b, float *d) {
    int t = threadIdx.x, g = t / 4, u = t % 4;
    unsigned ra[4], rb[2];
    float va[4] = {a[g * 8 + u], a[(g + 8) * 8 + u], a[g * 8 + u + 4], a[(g + 8) * 8 + u + 4]};
    float vb[2] = {b[u * 8 + g], b[(u + 4) * 8 + g]};
    for (int i = 0; i < 4; i++) asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(ra[i]) : "f"(va[i]));
    for (int i = 0; i < 2; i++) asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(rb[i]) : "f"(vb[i]));
    float c[4] = {0, 0, 0, 0};
    asm volatile("mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%0,%1,%2,%3}, "
                 "{%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
                 : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
                 : "r"(ra[0]), "r"(ra[1]), "r"(ra[2]), "r"(ra[3]), "r"(rb[0]), "r"(rb[1]));
    d[g * 8 + 2 * u] = c[0], d[g * 8 + 2 * u + 1] = c[1];
    d[(g + 8) * 8 + 2 * u] = c[2], d[(g + 8) * 8 + 2 * u + 1] = c[3];
}
