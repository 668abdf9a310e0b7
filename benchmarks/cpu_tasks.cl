/* The kernels of cpu_pocl.py, as an OpenCL programmer writes them for any device. */

#define STEPS 200
#define BINS 256
#define TILE 16
#define ROW 64

kernel void saxpy(float a, global const float *x, global float *y) {
    size_t i = get_global_id(0);
    y[i] = a * x[i] + y[i];
}

kernel void exp_of(global const float *x, global float *out) {
    size_t i = get_global_id(0);
    out[i] = exp(x[i]);
}

kernel void stencil(global const float *x, global float *out) {
    size_t j = get_global_id(0), i = get_global_id(1), n = get_global_size(0);
    if (i == 0 || j == 0 || i == n - 1 || j == n - 1) return;
    float around = x[(i - 1) * n + j] + x[(i + 1) * n + j] + x[i * n + j - 1] + x[i * n + j + 1];
    out[i * n + j] = 0.5f * x[i * n + j] + 0.125f * around;
}

kernel void softmax(global const float *x, global float *out, int n) {
    local float parts[ROW];
    int t = get_local_id(0);
    global const float *row = x + (size_t)get_group_id(0) * n;
    global float *to = out + (size_t)get_group_id(0) * n;
    float most = -INFINITY, total = 0;
    for (int j = t; j < n; j += ROW) most = fmax(most, row[j]);
    parts[t] = most;
    barrier(CLK_LOCAL_MEM_FENCE);
    for (int k = 0; k < ROW; k++) most = fmax(most, parts[k]);
    barrier(CLK_LOCAL_MEM_FENCE);
    for (int j = t; j < n; j += ROW) total += to[j] = exp(row[j] - most);
    parts[t] = total;
    barrier(CLK_LOCAL_MEM_FENCE);
    total = 0;
    for (int k = 0; k < ROW; k++) total += parts[k];
    for (int j = t; j < n; j += ROW) to[j] *= 1 / total;
}

kernel void layernorm(global const float *x, global float *out, int n) {
    local float sums[ROW], squares[ROW];
    int t = get_local_id(0);
    global const float *row = x + (size_t)get_group_id(0) * n;
    global float *to = out + (size_t)get_group_id(0) * n;
    float total = 0, square = 0;
    for (int j = t; j < n; j += ROW) {
        total += row[j];
        square += row[j] * row[j];
    }
    sums[t] = total;
    squares[t] = square;
    barrier(CLK_LOCAL_MEM_FENCE);
    total = square = 0;
    for (int k = 0; k < ROW; k++) {
        total += sums[k];
        square += squares[k];
    }
    float mean = total / n, scale = rsqrt(square / n - mean * mean + 1e-5f);
    for (int j = t; j < n; j += ROW) to[j] = (row[j] - mean) * scale;
}

/* Each work-item adds up a stretch of 1024; the sums of these are the host's. */
kernel void sums(global const float *x, global float *out) {
    size_t i = get_global_id(0);
    float16 total = 0;
    for (int k = 0; k < 64; k++) total += vload16(i * 64 + k, x);
    float8 half_ = total.lo + total.hi;
    float4 quarter = half_.lo + half_.hi;
    out[i] = quarter.x + quarter.y + quarter.z + quarter.w;
}

kernel void transpose(global const float *x, global float *out) {
    local float tile[TILE][TILE + 1];
    size_t n = get_global_size(0);
    int tx = get_local_id(0), ty = get_local_id(1);
    size_t column = get_group_id(0) * TILE, row = get_group_id(1) * TILE;
    tile[ty][tx] = x[(row + ty) * n + column + tx];
    barrier(CLK_LOCAL_MEM_FENCE);
    out[(column + ty) * n + row + tx] = tile[tx][ty];
}

kernel void fractal(global int *out, float pixel) {
    size_t j = get_global_id(0), i = get_global_id(1);
    float cx = -2.2f + j * pixel, cy = -1.5f + i * pixel, x = cx, y = cy;
    int count = 0;
    while (count < STEPS && x * x + y * y <= 4) {
        float next = x * x - y * y + cx;
        y = 2 * x * y + cy;
        x = next;
        count++;
    }
    out[i * get_global_size(0) + j] = count;
}

kernel void nbody(global const float *x, global float *out) {
    size_t n = get_global_size(0), i = get_global_id(0);
    float px = x[i], py = x[n + i], pz = x[2 * n + i], ax = 0, ay = 0, az = 0;
    for (size_t j = 0; j < n; j++) {
        float dx = x[j] - px, dy = x[n + j] - py, dz = x[2 * n + j] - pz;
        float root = 1 / sqrt(dx * dx + dy * dy + dz * dz + 1e-4f);
        float weight = x[3 * n + j] * root * root * root;
        ax += dx * weight;
        ay += dy * weight;
        az += dz * weight;
    }
    out[i] = ax;
    out[n + i] = ay;
    out[2 * n + i] = az;
}

static float normal(float x) {
    float k = 1 / (1 + 0.2316419f * fabs(x)), sums = 1.330274429f;
    sums = sums * k - 1.821255978f;
    sums = sums * k + 1.781477937f;
    sums = sums * k - 0.356563782f;
    sums = sums * k + 0.319381530f;
    float tail = exp(-x * x * 0.5f) * 0.3989422804014327f * sums * k;
    return x < 0 ? tail : 1 - tail;
}

kernel void black_scholes(global const float *price, global const float *strike,
                          global const float *years, global float *out) {
    size_t i = get_global_id(0);
    float s = price[i], k = strike[i], t = years[i];
    float root = 0.3f * sqrt(t), d1 = (log(s / k) + 0.065f * t) / root;
    out[i] = s * normal(d1) - k * exp(-0.02f * t) * normal(d1 - root);
}

kernel void convolution(global const float *x, global const float *w, global float *out) {
    size_t j = get_global_id(0), i = get_global_id(1), n = get_global_size(0);
    if (i == 0 || j == 0 || i == n - 1 || j == n - 1) return;
    float total = 0;
    for (int di = 0; di < 3; di++)
        for (int dj = 0; dj < 3; dj++)
            total += w[di * 3 + dj] * x[(i + di - 1) * n + j + dj - 1];
    out[i * n + j] = total;
}

/* Squares of n; the third dimension counts products. */
kernel void matmul(global const float *a, global const float *b, global float *c) {
    local float left[TILE][TILE], right[TILE][TILE];
    size_t n = get_global_size(0), base = get_global_id(2) * n * n;
    int tx = get_local_id(0), ty = get_local_id(1);
    size_t row = get_global_id(1), column = get_global_id(0);
    float total = 0;
    for (size_t start = 0; start < n; start += TILE) {
        left[ty][tx] = a[base + row * n + start + tx];
        right[ty][tx] = b[base + (start + ty) * n + column];
        barrier(CLK_LOCAL_MEM_FENCE);
        for (int k = 0; k < TILE; k++) total += left[ty][k] * right[k][tx];
        barrier(CLK_LOCAL_MEM_FENCE);
    }
    c[base + row * n + column] = total;
}

kernel void bitonic_step(global float *x, int distance, int size) {
    int i = get_global_id(0), low = 2 * i - (i & (distance - 1)), high = low + distance;
    float first = x[low], second = x[high];
    if ((first > second) == ((low & size) == 0)) {
        x[low] = second;
        x[high] = first;
    }
}
