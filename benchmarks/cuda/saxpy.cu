// y = a * x + y, one thread for each element.
#ifndef INDEX
#define INDEX int
#endif
extern "C" __global__ void saxpy(float a, const float *x, float *y, INDEX n) {
    INDEX i = (INDEX)blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n)
        y[i] = a * x[i] + y[i];
}
