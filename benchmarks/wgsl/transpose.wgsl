@group(0) @binding(0) var<storage, read_write> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> result: array<f32>;

override side: u32;
var<workgroup> tile: array<array<f32, 17>, 16>;

@compute @workgroup_size(16, 16)
fn main(
    @builtin(local_invocation_id) t: vec3<u32>,
    @builtin(workgroup_id) block: vec3<u32>,
) {
    var column = block.x * 16u + t.x;
    var row = block.y * 16u + t.y;
    if (row < side && column < side) {
        tile[t.y][t.x] = x[row * side + column];
    }
    workgroupBarrier();
    column = block.y * 16u + t.x;
    row = block.x * 16u + t.y;
    if (row < side && column < side) {
        result[row * side + column] = tile[t.x][t.y];
    }
}
