/* A libcuda whose functions are given to it: what cuda.bindings opens in tests. */

static struct {
    const char *name;
    void *function;
} rows[256];
static int count;

void stepwell_add(const char *name, void *function) {
    rows[count].name = name;
    rows[count++].function = function;
}

static int same(const char *a, const char *b) {
    while (*a && *a == *b) a++, b++;
    return *a == *b;
}

int cuGetProcAddress_v2(const char *symbol, void **function, int version,
                        unsigned long long flags, int *status) {
    *function = 0;
    for (int i = 0; i < count; i++)
        if (same(rows[i].name, symbol)) *function = rows[i].function;
    if (status) *status = *function ? 0 : 1;
    return *function ? 0 : 500;
}
