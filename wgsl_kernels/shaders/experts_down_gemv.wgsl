alias Elem = f32;
// out = the sum over a token's slots of routing * (expert's matrix * hidden), for a few tokens, where routing is the
// softmax over the chosen experts' logits: a workgroup owns 4 rows of all the token's experts. Each cut of the weight
// adds its experts' part.
@group(0) @binding(1) var<storage, read> x: array<Elem>; // hidden, [tokens][slots][inner]
@group(0) @binding(2) var<storage, read_write> out: array<Elem>;
@group(0) @binding(5) var<storage, read> routes: array<vec2<u32>>; // [tokens][slots] of (expert, its logit's bits)
override inner: u32;
override rows: u32;
override slots: u32;
override first_expert: u32;
override expert_count: u32;
override accumulate: u32;
override WG: u32 = 64;
const MOST_SLOTS: u32 = 16u;
var<workgroup> shares: array<f32, MOST_SLOTS>;

// Lays exp(logit - largest) of a token's slots out, the first of which has the largest; returns their sum.
fn share_out(first: u32, lane: u32) -> f32 {
    if lane < slots {
        shares[lane] = exp(bitcast<f32>(routes[first + lane].y) - bitcast<f32>(routes[first].y));
    }
    workgroupBarrier();
    var total = 0.0;
    for (var slot = 0u; slot < slots; slot++) {
        total += shares[slot];
    }
    return total;
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let row = group.x * 4u;
    let words = (inner + 7u) / 8u;
    let total = share_out(group.y * slots, lane);
    var sums = vec4(0.0);
    for (var word = lane; word < slots * words; word += WG) {
        let slot = word / words;
        let pair = group.y * slots + slot;
        let expert = routes[pair].x - first_expert; // below first_expert it wraps
        if expert < expert_count {
            let start = expert * rows;
            sums += shares[slot] / total * dot8_of_4_rows(pair, start + row, start + rows - 1u, word % words);
        }
    }
    sums = reduce_sum4(sums, lane);
    if lane < 4u && row + lane < rows {
        let at = group.y * rows + row + lane;
        out[at] = Elem(sums[lane] + select(0.0, f32(out[at]), accumulate != 0u));
    }
}
