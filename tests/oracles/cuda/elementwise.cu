// Kernels without cooperation between threads: arithmetic, bits, conversions, memory of all kinds.

#define ID (blockIdx.x * blockDim.x + threadIdx.x)

extern "C" __global__ void saxpy(float *x, float *y, float a, int n) {
    int i = ID;
    if (i < n) y[i] = a * x[i] + y[i];
}

extern "C" __global__ void grid_stride(const double *x, double *y, long long n) {
    for (long long i = ID; i < n; i += (long long)gridDim.x * blockDim.x) y[i] = x[i] * x[i] - 1.0;
}

extern "C" __global__ void vector_copy(const float4 *x, float4 *y, int n) {
    int i = ID;
    if (i < n) {
        float4 v = x[i];
        y[i] = make_float4(v.w, v.z, v.y, v.x);
    }
}

extern "C" __global__ void bits(const unsigned *x, unsigned *out, int n) {
    int i = ID;
    if (i >= n) return;
    unsigned v = x[i], w = x[(i + 1) % n];
    unsigned *o = out + 10 * i;
    o[0] = __popc(v);
    o[1] = __clz(v);
    o[2] = __brev(v);
    o[3] = __umulhi(v, w);
    o[4] = __byte_perm(v, w, 0x5317);
    o[5] = __funnelshift_l(v, w, w & 31);
    o[6] = __funnelshift_rc(v, w, w & 63);
    o[7] = __dp4a((int)v, (int)w, 7);
    o[8] = __ffs(v);
    o[9] = (v & w) | (~v & 0x0f0f0f0f) ^ (w >> 3);
}

extern "C" __global__ void divide(const int *a, const int *b, int *out, int n) {
    int i = ID;
    if (i >= n) return;
    out[4 * i] = a[i] / b[i];
    out[4 * i + 1] = a[i] % b[i];
    out[4 * i + 2] = (unsigned)a[i] / (unsigned)b[i];
    out[4 * i + 3] = a[i] / 7 + a[i] % 10;
}

extern "C" __global__ void wide(const long long *a, const long long *b, long long *out, int n) {
    int i = ID;
    if (i >= n) return;
    out[4 * i] = __mul64hi(a[i], b[i]);
    out[4 * i + 1] = a[i] * b[i] + (a[i] >> (b[i] & 63));
    out[4 * i + 2] = a[i] / (b[i] | 1);
    out[4 * i + 3] = (long long)(((__int128)a[i] + b[i]) >> 1);
}

extern "C" __global__ void math(const float *x, float *out, int n) {
    int i = ID;
    if (i >= n) return;
    float v = x[i];
    float *o = out + 10 * i;
    o[0] = expf(v);
    o[1] = logf(fabsf(v) + 0.5f);
    o[2] = sinf(v);
    o[3] = cosf(v);
    o[4] = sqrtf(fabsf(v));
    o[5] = tanhf(v);
    o[6] = powf(fabsf(v) + 0.1f, 1.7f);
    o[7] = v / (fabsf(v) + 0.3f);
    o[8] = rsqrtf(fabsf(v) + 1.0f);
    o[9] = erff(v);
}

extern "C" __global__ void math64(const double *x, double *out, int n) {
    int i = ID;
    if (i >= n) return;
    double v = x[i];
    out[4 * i] = exp(v);
    out[4 * i + 1] = log(fabs(v) + 0.5);
    out[4 * i + 2] = sin(v);
    out[4 * i + 3] = v / (fabs(v) + 0.3) + sqrt(fabs(v));
}

extern "C" __global__ void rounding(const float *x, const float *y, float *out, int n) {
    int i = ID;
    if (i >= n) return;
    float *o = out + 8 * i;
    o[0] = __fadd_rz(x[i], y[i]);
    o[1] = __fadd_ru(x[i], y[i]);
    o[2] = __fmul_rd(x[i], y[i]);
    o[3] = __fmaf_rn(x[i], y[i], 1.0f);
    o[4] = __fdiv_rz(x[i], y[i]);
    o[5] = __fsqrt_ru(fabsf(x[i]));
    o[6] = fminf(x[i], y[i]);
    o[7] = copysignf(x[i], y[i]);
}

extern "C" __global__ void convert(const float *x, int *out, int n) {
    int i = ID;
    if (i >= n) return;
    int *o = out + 8 * i;
    o[0] = (int)x[i];
    o[1] = __float2int_rn(x[i]);
    o[2] = __float2uint_ru(x[i]);
    o[3] = (int)(signed char)(int)x[i];
    o[4] = (int)__float2ll_rd(x[i]);
    o[5] = __float_as_int((float)(unsigned)__float_as_int(x[i]));
    o[6] = (unsigned short)(int)x[i];
    o[7] = __float_as_int(__saturatef(x[i]));
}

struct Pair {
    int first;
    short second;
    double third;
};

extern "C" __global__ void structs(Pair given, const Pair *in, Pair *out, int n) {
    int i = ID;
    if (i >= n) return;
    Pair p = in[i];
    p.first += given.first;
    p.second *= given.second;
    p.third -= given.third;
    out[i] = p;
}

__constant__ float coefficients[4] = {1.0f, -2.0f, 0.5f, 3.0f};
__device__ unsigned counter = 5;

extern "C" __global__ void polynomial(const float *x, float *y, int n) {
    int i = ID;
    if (i >= n) return;
    float r = 0;
    for (int k = 3; k >= 0; k--) r = r * x[i] + coefficients[k];
    y[i] = r;
    atomicAdd(&counter, 2);
}

extern "C" __global__ void local_array(const int *x, int *y, int n) {
    int i = ID;
    if (i >= n) return;
    int heap[16];
    for (int k = 0; k < 16; k++) heap[k] = x[(i + k) % n];
    for (int a = 1; a < 16; a++)
        for (int b = a; b > 0 && heap[b - 1] > heap[b]; b--) {
            int t = heap[b];
            heap[b] = heap[b - 1];
            heap[b - 1] = t;
        }
    y[i] = heap[x[i] & 15];
}
