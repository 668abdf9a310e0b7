@group(0) @binding(0) var<storage, read_write> x: array<i32>;
@group(0) @binding(1) var<storage, read_write> bins: array<atomic<i32>>;

@compute @workgroup_size(256)
fn main(
    @builtin(global_invocation_id) id: vec3<u32>,
) {
    if (id.x < arrayLength(&x)) {
        atomicAdd(&bins[x[id.x] & 255], 1);
    }
}
