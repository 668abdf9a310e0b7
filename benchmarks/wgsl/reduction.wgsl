@group(0) @binding(0) var<storage, read_write> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> result: array<f32>;

var<workgroup> part: array<f32, 256>;

@compute @workgroup_size(256)
fn main(
    @builtin(global_invocation_id) id: vec3<u32>,
    @builtin(local_invocation_id) thread: vec3<u32>,
    @builtin(workgroup_id) block: vec3<u32>,
    @builtin(num_workgroups) grid: vec3<u32>,
) {
    let t = thread.x;
    var mine = 0.0;
    for (var i = id.x; i < arrayLength(&x); i += grid.x * 256u) {
        mine += x[i];
    }
    part[t] = mine;
    workgroupBarrier();
    for (var width = 128u; width > 0u; width /= 2u) {
        if (t < width) {
            part[t] += part[t + width];
        }
        workgroupBarrier();
    }
    if (t == 0u) {
        result[block.x] = part[0];
    }
}
