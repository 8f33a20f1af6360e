alias Elem = f32;
// out = activation(gate) * up for few tokens, where gate is x times the first half of the weight's rows and up x times
// the second half: a team owns two outputs and their four rows, so no sum leaves it. Else as gemv.wgsl.
override inner: u32;
override rows: u32;
@group(0) @binding(2) var<storage, read_write> out: array<Elem>; // [tokens, rows / 2]

@compute @workgroup_size(LANES, TEAMS)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_id) place: vec3<u32>) {
    let half = rows / 2u;
    let first = (group.x * TEAMS + place.y) * 2u;
    let two = min(vec2(first, first + 1u), vec2(half - 1u)); // past the last, that one again
    let four = vec4(two, two + half);
    var sums = vec4(0.0);
    for (var b = place.x; b < inner / 32u; b += LANES) {
        sums += dot_block_of_four(four, b, x_block(group.y, b));
    }
    share(sums, place);
    for (var i = place.x; i < 2u && first + i < half; i += LANES) {
        let gate = activated(row_total(i, place.y));
        out[group.y * half + first + i] = Elem(gate * row_total(i + 2u, place.y));
    }
}
