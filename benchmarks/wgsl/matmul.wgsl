@group(0) @binding(0) var<storage, read_write> a: array<f32>;
@group(0) @binding(1) var<storage, read_write> b: array<f32>;
@group(0) @binding(2) var<storage, read_write> c: array<f32>;

override side: u32;
var<workgroup> left: array<array<f32, 16>, 16>;
var<workgroup> right: array<array<f32, 16>, 16>;

@compute @workgroup_size(16, 16)
fn main(
    @builtin(global_invocation_id) id: vec3<u32>,
    @builtin(local_invocation_id) t: vec3<u32>,
) {
    var total = 0.0;
    for (var start = 0u; start < side; start += 16u) {
        left[t.y][t.x] = a[id.y * side + start + t.x];
        right[t.y][t.x] = b[(start + t.y) * side + id.x];
        workgroupBarrier();
        for (var k = 0u; k < 16u; k++) {
            total += left[t.y][k] * right[k][t.x];
        }
        workgroupBarrier();
    }
    c[id.y * side + id.x] = total;
}
