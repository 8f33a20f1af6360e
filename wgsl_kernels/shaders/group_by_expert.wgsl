// Sorts the pairs (token, slot), numbered token * slots + slot, by expert: a counting sort that keeps their order. A
// workgroup an expert: its lanes count their share of the pairs, of lower experts and of this one, and so know where
// to put theirs. pairs[bounds[e] .. bounds[e + 1]] are those of expert e.
@group(0) @binding(0) var<uniform> step: Step;
@group(0) @binding(1) var<storage, read> experts: array<u32>;
@group(0) @binding(2) var<storage, read_write> bounds: array<u32>;
@group(0) @binding(3) var<storage, read_write> pairs: array<u32>;
override expert_total: u32;
override slots: u32;

const WG: u32 = 64u;
var<workgroup> counts: array<vec2<u32>, WG>; // of lower experts, of this one

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let expert = group.x;
    let total = step.tokens * slots;
    let share = (total + WG - 1u) / WG;
    let first = lane * share;
    let end = min(first + share, total);
    var count = vec2(0u);
    for (var pair = first; pair < end; pair++) {
        count += select(vec2(0u), vec2(1u), vec2(experts[pair] < expert, experts[pair] == expert));
    }
    counts[lane] = count;
    workgroupBarrier();
    var at = 0u;
    for (var other = 0u; other < WG; other++) {
        at += counts[other].x + select(0u, counts[other].y, other < lane);
    }
    for (var pair = first; pair < end; pair++) {
        if experts[pair] == expert {
            pairs[at] = pair;
            at++;
        }
    }
    if lane == WG - 1u {
        bounds[expert + 1u] = at;
    }
    if lane == 0u && expert == 0u {
        bounds[0] = 0u;
    }
}
