alias Elem = f32;
// out = x * weight^T for few tokens and rows of whole blocks: LANES lanes own four rows of the weight and one token and
// share out the blocks. A lane loads 16 bytes at a time, and each block of x serves four rows. A workgroup has TEAMS of
// such teams: one of 32 lanes suits GPUs; with one lane a team, nothing is shared, as suits adapters in software.
override inner: u32;
override rows: u32;
override out_stride: u32;
override column: u32;
override alpha: f32;

@compute @workgroup_size(LANES, TEAMS)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_id) place: vec3<u32>) {
    let row = (group.x * TEAMS + place.y) * 4u;
    let four = min(vec4(row) + vec4(0u, 1u, 2u, 3u), vec4(rows - 1u)); // past the last, that one again
    var sums = vec4(0.0);
    for (var b = place.x; b < inner / 32u; b += LANES) {
        sums += dot_block_of_four(four, b, x_block(group.y, b));
    }
    share(sums, place);
    for (var i = place.x; i < 4u && row + i < rows; i += LANES) {
        epilogue(group.y, row + i, row_total(i, place.y));
    }
}
