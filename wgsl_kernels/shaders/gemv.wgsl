alias Elem = f32;
// out = x * weight^T for few tokens and rows of whole blocks: a workgroup owns four rows of the weight and one token,
// its lanes share out the blocks. A lane loads 16 bytes at a time, and each block of x serves four rows.
override inner: u32;
override rows: u32;
override out_stride: u32;
override column: u32;
override alpha: f32;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let row = group.x * 4u;
    let four = min(vec4(row) + vec4(0u, 1u, 2u, 3u), vec4(rows - 1u)); // past the last, that one again
    var sums = vec4(0.0);
    for (var b = lane; b < inner / 32u; b += LANES) {
        sums += dot_block_of_four(four, b, x_block(group.y, b));
    }
    share(sums, lane);
    if lane < 4u && row + lane < rows {
        epilogue(group.y, row + lane, row_total(lane));
    }
}
