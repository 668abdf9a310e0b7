// Plain C's contenders of cpu.py: loops as one writes them, with OpenMP; compiled with
// -O3 -march=native -ffast-math -fopenmp.

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef int64_t n_t;
#define STEPS 200
#define BINS 256

void saxpy(n_t n, float a, const float *restrict x, float *restrict y) {
#pragma omp parallel for simd
  for (n_t i = 0; i < n; i++) y[i] = a * x[i] + y[i];
}

void exp_of(n_t n, const float *restrict x, float *restrict out) {
#pragma omp parallel for simd
  for (n_t i = 0; i < n; i++) out[i] = expf(x[i]);
}

void stencil(n_t n, const float *restrict x, float *restrict out) {
#pragma omp parallel for
  for (n_t i = 1; i < n - 1; i++)
    for (n_t j = 1; j < n - 1; j++)
      out[i * n + j] = 0.5f * x[i * n + j] + 0.125f * (x[(i - 1) * n + j] + x[(i + 1) * n + j] +
                                                       x[i * n + j - 1] + x[i * n + j + 1]);
}

void softmax(n_t rows, n_t n, const float *restrict x, float *restrict out) {
#pragma omp parallel for
  for (n_t i = 0; i < rows; i++) {
    const float *row = x + i * n;
    float *to = out + i * n, most = row[0], total = 0;
    for (n_t j = 0; j < n; j++) most = fmaxf(most, row[j]);
    for (n_t j = 0; j < n; j++) total += to[j] = expf(row[j] - most);
    for (n_t j = 0; j < n; j++) to[j] *= 1 / total;
  }
}

void layernorm(n_t rows, n_t n, const float *restrict x, float *restrict out) {
#pragma omp parallel for
  for (n_t i = 0; i < rows; i++) {
    const float *row = x + i * n;
    float total = 0, square = 0;
    for (n_t j = 0; j < n; j++) total += row[j], square += row[j] * row[j];
    float mean = total / n, scale = 1 / sqrtf(square / n - mean * mean + 1e-5f);
    for (n_t j = 0; j < n; j++) out[i * n + j] = (row[j] - mean) * scale;
  }
}

void sum(n_t n, const float *restrict x, float *restrict out) {
  float total = 0;
#pragma omp parallel for simd reduction(+ : total)
  for (n_t i = 0; i < n; i++) total += x[i];
  out[0] = total;
}

void scan(n_t n, const float *restrict x, float *restrict out) {
  enum { PARTS = 64 };
  float totals[PARTS];
  n_t size = (n + PARTS - 1) / PARTS;
#pragma omp parallel for
  for (int p = 0; p < PARTS; p++) {
    float total = 0;
    for (n_t i = p * size; i < n && i < (p + 1) * size; i++) total += x[i];
    totals[p] = total;
  }
  float before = 0;
  for (int p = 0; p < PARTS; p++) {
    float total = totals[p];
    totals[p] = before;
    before += total;
  }
#pragma omp parallel for
  for (int p = 0; p < PARTS; p++) {
    float total = totals[p];
    for (n_t i = p * size; i < n && i < (p + 1) * size; i++) out[i] = total += x[i];
  }
}

void histogram(n_t n, const uint8_t *restrict x, int32_t *restrict out) {
  memset(out, 0, BINS * sizeof *out);
#pragma omp parallel
  {
    int32_t own[BINS] = {0};
#pragma omp for nowait
    for (n_t i = 0; i < n; i++) own[x[i]]++;
#pragma omp critical
    for (int b = 0; b < BINS; b++) out[b] += own[b];
  }
}

void transpose(n_t n, const float *restrict x, float *restrict out) {
#pragma omp parallel for collapse(2)
  for (n_t r = 0; r < n; r += 32)
    for (n_t c = 0; c < n; c += 32)
      for (n_t j = c; j < c + 32 && j < n; j++)
        for (n_t i = r; i < r + 32 && i < n; i++) out[j * n + i] = x[i * n + j];
}

void fractal(n_t n, float pixel, int32_t *restrict out) {
#pragma omp parallel for schedule(dynamic, 8)
  for (n_t i = 0; i < n; i++)
    for (n_t j = 0; j < n; j++) {
      float cx = -2.2f + j * pixel, cy = -1.5f + i * pixel, x = cx, y = cy;
      int count = 0;
      while (count < STEPS && x * x + y * y <= 4) {
        float next = x * x - y * y + cx;
        y = 2 * x * y + cy;
        x = next;
        count++;
      }
      out[i * n + j] = count;
    }
}

void nbody(n_t n, const float *restrict x, float *restrict out) {
#pragma omp parallel for
  for (n_t i = 0; i < n; i++) {
    float ax = 0, ay = 0, az = 0, px = x[i], py = x[n + i], pz = x[2 * n + i];
    for (n_t j = 0; j < n; j++) {
      float dx = x[j] - px, dy = x[n + j] - py, dz = x[2 * n + j] - pz;
      float root = 1 / sqrtf(dx * dx + dy * dy + dz * dz + 1e-4f);
      float weight = x[3 * n + j] * root * root * root;
      ax += dx * weight, ay += dy * weight, az += dz * weight;
    }
    out[i] = ax, out[n + i] = ay, out[2 * n + i] = az;
  }
}

static inline float normal(float x) {
  float k = 1 / (1 + 0.2316419f * fabsf(x)), sums = 1.330274429f;
  sums = sums * k - 1.821255978f;
  sums = sums * k + 1.781477937f;
  sums = sums * k - 0.356563782f;
  sums = sums * k + 0.319381530f;
  float tail = expf(-x * x * 0.5f) * 0.3989422804014327f * sums * k;
  return x < 0 ? tail : 1 - tail;
}

void black_scholes(n_t n, const float *restrict price, const float *restrict strike,
                   const float *restrict years, float *restrict out) {
#pragma omp parallel for simd
  for (n_t i = 0; i < n; i++) {
    float s = price[i], k = strike[i], t = years[i], root = 0.3f * sqrtf(t);
    float d1 = (logf(s / k) + 0.065f * t) / root;
    out[i] = s * normal(d1) - k * expf(-0.02f * t) * normal(d1 - root);
  }
}

void convolution(n_t n, const float *restrict x, const float *restrict w, float *restrict out) {
#pragma omp parallel for
  for (n_t i = 1; i < n - 1; i++)
    for (n_t j = 1; j < n - 1; j++) {
      float total = 0;
      for (int di = 0; di < 3; di++)
        for (int dj = 0; dj < 3; dj++)
          total += w[di * 3 + dj] * x[(i + di - 1) * n + j + dj - 1];
      out[i * n + j] = total;
    }
}

void matmul(n_t n, const float *restrict a, const float *restrict b, float *restrict c) {
  memset(c, 0, n * n * sizeof *c);
#pragma omp parallel for
  for (n_t r = 0; r < n; r += 64)
    for (n_t s = 0; s < n; s += 64)
      for (n_t i = r; i < r + 64; i++)
        for (n_t k = s; k < s + 64; k++)
          for (n_t j = 0; j < n; j++) c[i * n + j] += a[i * n + k] * b[k * n + j];
}

void batched(n_t n, const float *restrict a, const float *restrict b, float *restrict c) {
#pragma omp parallel for
  for (n_t z = 0; z < n; z++) {
    const float *p = a + z * 4096, *q = b + z * 4096;
    float *to = c + z * 4096;
    memset(to, 0, 4096 * sizeof *to);
    for (int i = 0; i < 64; i++)
      for (int k = 0; k < 64; k++)
        for (int j = 0; j < 64; j++) to[i * 64 + j] += p[i * 64 + k] * q[k * 64 + j];
  }
}

void bitonic_sort(n_t n, const float *restrict x, float *restrict out) {
  memcpy(out, x, n * sizeof *out);
  for (n_t size = 2; size <= n; size *= 2)
    for (n_t distance = size / 2; distance; distance /= 2) {
#pragma omp parallel for
      for (n_t start = 0; start < n; start += 2 * distance) {
        int up = (start & size) == 0;
        for (n_t low = start; low < start + distance; low++) {
          float first = out[low], second = out[low + distance];
          float least = first < second ? first : second, most = first < second ? second : first;
          out[low] = up ? least : most;
          out[low + distance] = up ? most : least;
        }
      }
    }
}

#ifdef __AVX512F__
typedef float vector __attribute__((vector_size(64)));
#else
typedef float vector __attribute__((vector_size(32)));
#endif
#define WIDTH (sizeof(vector) / sizeof(float))
#define CHAINS 12

// n fused multiply-adds of each chain in each thread, in registers alone; how many flops all are.
void peak(n_t n, double *flops) {
  double count = 0;
#pragma omp parallel reduction(+ : count)
  {
    vector sums[CHAINS], factor, added;
    for (int k = 0; k < WIDTH; k++) factor[k] = 0.999f, added[k] = 0.5f;
#pragma GCC unroll 12
    for (int c = 0; c < CHAINS; c++) sums[c] = added;
    for (n_t i = 0; i < n; i++)
#pragma GCC unroll 12
      for (int c = 0; c < CHAINS; c++) {
        sums[c] = sums[c] * factor + added;
        __asm__ volatile("" : "+x"(sums[c]));
      }
    count = 2.0 * n * CHAINS * WIDTH;
  }
  *flops = count;
}
