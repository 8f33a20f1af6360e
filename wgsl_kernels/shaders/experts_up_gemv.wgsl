alias Elem = f32;
// out = silu(gate) * up in the experts of a few tokens. Even rows of an expert's matrix are gate, odd ones up; a
// workgroup owns 4 rows, which are 2 values, of one pair (token, slot), and finds the slot's expert itself: the ranking
// of a few dozen logits costs less than a dispatch. Experts outside of this cut of the weight are left to other
// dispatches; those that no token goes to are not read.
@group(0) @binding(1) var<storage, read> x: array<Elem>;
@group(0) @binding(2) var<storage, read_write> out: array<Elem>; // [tokens][slots][rows / 2]
@group(0) @binding(5) var<storage, read_write> routes: array<vec2<u32>>; // [tokens][slots] of (expert, its logit's bits)
@group(0) @binding(6) var<storage, read> logits: array<u32>; // bits of f32: NaN must not spoil the order
override inner: u32;
override rows: u32;
override slots: u32;
override first_expert: u32;
override expert_count: u32;
override WG: u32 = 64;
var<workgroup> picked: u32;

fn expert_of(token: u32, slot: u32, lane: u32) -> u32 {
    stage_logits(token, lane);
    for (var expert = lane; expert < expert_total; expert += WG) {
        if rank(expert) == slot {
            picked = expert;
        }
    }
    return workgroupUniformLoad(&picked);
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let pair = group.y * slots + group.z;
    let chosen = expert_of(group.y, group.z, lane);
    if group.x == 0u && lane == 0u {
        routes[pair] = vec2(chosen, logits[group.y * expert_total + chosen]);
    }
    let expert = chosen - first_expert; // below first_expert it wraps
    if expert >= expert_count {
        return;
    }
    let row = expert * rows + group.x * 4u;
    let last = expert * rows + rows - 1u;
    var sums = vec4(0.0);
    for (var k8 = lane; k8 * 8u < inner; k8 += WG) {
        sums += dot8_of_4_rows(group.y, row, last, k8);
    }
    sums = reduce_sum4(sums, lane);
    let value = group.x * 2u + lane;
    if lane < 2u && value < rows / 2u {
        out[pair * (rows / 2u) + value] = Elem(silu(sums[lane * 2u]) * sums[lane * 2u + 1u]);
    }
}
