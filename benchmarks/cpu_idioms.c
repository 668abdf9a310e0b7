/* What the kernels of cpu_idioms.py compute, as loops that a C programmer would write. */
#include <math.h>
#include <stddef.h>
#include <stdint.h>

typedef ptrdiff_t n_t;

void product(n_t n, const float *restrict a, const float *restrict b, float *restrict c) {
#pragma omp parallel for
  for (n_t i = 0; i < n; i++) {
    for (n_t j = 0; j < n; j++) c[i * n + j] = 0;
    for (n_t k = 0; k < n; k++)
      for (n_t j = 0; j < n; j++) c[i * n + j] += a[i * n + k] * b[k * n + j];
  }
}

void sparse(n_t rows, const int32_t *restrict begins, const int32_t *restrict column,
            const float *restrict value, const float *restrict x, float *restrict y) {
#pragma omp parallel for
  for (n_t r = 0; r < rows; r++) {
    float sum = 0;
    for (int k = begins[r]; k < begins[r + 1]; k++) sum += value[k] * x[column[k]];
    y[r] = sum;
  }
}

void window(n_t n, n_t m, const float *restrict x, const float *restrict w, float *restrict y) {
#pragma omp parallel for
  for (n_t i = 0; i < n; i++) {
    float sum = 0;
    for (n_t k = 0; k < m; k++) sum += x[i + k] * w[k];
    y[i] = sum;
  }
}

void distance(n_t n, const float *restrict p, const float *restrict q, float *restrict out) {
#pragma omp parallel for
  for (n_t i = 0; i < n; i++) {
    float x = p[3 * i] - q[3 * i], y = p[3 * i + 1] - q[3 * i + 1], z = p[3 * i + 2] - q[3 * i + 2];
    out[i] = sqrtf(x * x + y * y + z * z);
  }
}

void heat(n_t n, const float *restrict x, float *restrict y) {
#pragma omp parallel for
  for (n_t i = 1; i < n - 1; i++)
    for (n_t j = 1; j < n - 1; j++)
      for (n_t k = 1; k < n - 1; k++) {
        const float *p = x + (i * n + j) * n + k;
        y[(i * n + j) * n + k] =
            0.4f * p[0] + 0.1f * (p[1] + p[-1] + p[n] + p[-n] + p[n * n] + p[-n * n]);
      }
}

void gray(n_t n, const uint8_t *restrict x, uint8_t *restrict y) {
#pragma omp parallel for
  for (n_t i = 0; i < n; i++)
    y[i] = (uint8_t)(0.299f * x[3 * i] + 0.587f * x[3 * i + 1] + 0.114f * x[3 * i + 2]);
}

void planes(n_t n, const uint8_t *restrict x, uint8_t *restrict y) {
#pragma omp parallel for
  for (n_t i = 0; i < n; i++)
    y[i] = (uint8_t)(0.299f * x[i] + 0.587f * x[n + i] + 0.114f * x[2 * n + i]);
}

void life(n_t n, const uint8_t *restrict x, uint8_t *restrict y) {
#pragma omp parallel for
  for (n_t i = 0; i < n; i++)
    for (n_t j = 0; j < n; j++) {
      n_t u = (i + n - 1) % n * n, d = (i + 1) % n * n, l = (j + n - 1) % n, r = (j + 1) % n;
      int around = x[u + l] + x[u + j] + x[u + r] + x[i * n + l] + x[i * n + r] + x[d + l] +
                   x[d + j] + x[d + r];
      y[i * n + j] = around == 3 || (around == 2 && x[i * n + j]);
    }
}

void darts(n_t n, n_t rounds, int32_t *restrict out) {
#pragma omp parallel for
  for (n_t i = 0; i < n; i++) {
    uint32_t s = (uint32_t)i * 747796405u + 2891336453u;
    int inside = 0;
    for (n_t k = 0; k < rounds; k++) {
      s ^= s << 13, s ^= s >> 17, s ^= s << 5;
      float x = (s >> 8) * (1.f / 16777216);
      s ^= s << 13, s ^= s >> 17, s ^= s << 5;
      float y = (s >> 8) * (1.f / 16777216);
      inside += x * x + y * y < 1;
    }
    out[i] = inside;
  }
}

void nearest(n_t n, n_t centres, const float *restrict p, const float *restrict c,
             int32_t *restrict out) {
#pragma omp parallel for
  for (n_t i = 0; i < n; i++) {
    float best = 1e30f;
    int at = 0;
    for (n_t j = 0; j < centres; j++) {
      float x = p[2 * i] - c[2 * j], y = p[2 * i + 1] - c[2 * j + 1], d = x * x + y * y;
      if (d < best) best = d, at = j;
    }
    out[i] = at;
  }
}

void gather(n_t n, const int32_t *restrict index, const float *restrict x, float *restrict y) {
#pragma omp parallel for
  for (n_t i = 0; i < n; i++) y[i] = x[index[i]];
}

void bytes_times(n_t rows, n_t n, const int8_t *restrict a, const int8_t *restrict x,
                 int32_t *restrict y) {
#pragma omp parallel for
  for (n_t r = 0; r < rows; r++) {
    int sum = 0;
    for (n_t k = 0; k < n; k++) sum += a[r * n + k] * x[k];
    y[r] = sum;
  }
}

void times(n_t rows, n_t n, const float *restrict a, const float *restrict x, float *restrict y) {
#pragma omp parallel for
  for (n_t r = 0; r < rows; r++) {
    float sum = 0;
    for (n_t k = 0; k < n; k++) sum += a[r * n + k] * x[k];
    y[r] = sum;
  }
}

void resize(n_t h, n_t w, n_t rows, n_t columns, const float *restrict x, float *restrict y) {
#pragma omp parallel for
  for (n_t i = 0; i < rows; i++)
    for (n_t j = 0; j < columns; j++) {
      float fy = (i + .5f) * h / rows - .5f, fx = (j + .5f) * w / columns - .5f;
      int top = floorf(fy), left = floorf(fx);
      float down = fy - top, right = fx - left;
      int low = top + 1 < h - 1 ? top + 1 : h - 1, far = left + 1 < w - 1 ? left + 1 : w - 1;
      top = top > 0 ? top : 0, left = left > 0 ? left : 0;
      float a = x[top * w + left], b = x[top * w + far], c = x[low * w + left], d = x[low * w + far];
      float above = a + (b - a) * right, below = c + (d - c) * right;
      y[i * columns + j] = above + (below - above) * down;
    }
}

void inner(n_t n, const float *restrict x, const float *restrict y, float *restrict out) {
  float sum = 0;
#pragma omp parallel for reduction(+ : sum)
  for (n_t i = 0; i < n; i++) sum += x[i] * y[i];
  *out = sum;
}

void largest(n_t n, const float *restrict x, float *restrict out) {
  float most = -1e30f;
#pragma omp parallel for reduction(max : most)
  for (n_t i = 0; i < n; i++) most = x[i] > most ? x[i] : most;
  *out = most;
}

void turned(n_t n, const float *restrict x, float *restrict y) {
#pragma omp parallel for collapse(2)
  for (n_t a = 0; a < n; a += 32)
    for (n_t b = 0; b < n; b += 32)
      for (n_t j = b; j < b + 32; j++)
        for (n_t i = a; i < a + 32; i++) y[j * n + i] = x[i * n + j];
}

void blur(n_t n, const float *restrict x, float *restrict y) {
#pragma omp parallel for
  for (n_t i = 0; i < n; i++)
    for (n_t j = 0; j < n; j++) {
      float sum = 0;
      for (n_t a = 0; a < 3; a++)
        for (n_t b = 0; b < 3; b++) sum += x[(i + a) * (n + 2) + j + b];
      y[i * n + j] = sum;
    }
}
