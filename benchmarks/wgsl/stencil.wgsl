@group(0) @binding(0) var<storage, read_write> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> result: array<f32>;

override side: u32;

@compute @workgroup_size(16, 16)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let j = i32(id.x);
    let i = i32(id.y);
    let width = i32(side);
    if (i >= 1 && j >= 1 && i < width - 1 && j < width - 1) {
        let at = i * width + j;
        let around = x[at - width] + x[at + width] + x[at - 1] + x[at + 1];
        result[at] = 0.5 * x[at] + 0.125 * around;
    }
}
