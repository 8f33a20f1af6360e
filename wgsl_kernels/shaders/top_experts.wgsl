// The `slots` experts with the largest router logits of a token, largest first, and the softmax over these. A token a
// workgroup.
@group(0) @binding(1) var<storage, read> logits: array<u32>; // bits of f32: NaN must not spoil the order
@group(0) @binding(2) var<storage, read_write> experts: array<u32>;
@group(0) @binding(3) var<storage, read_write> routing: array<f32>;
override slots: u32; // at most MOST_SLOTS, and expert_total

const WG: u32 = 64u;
const MOST_SLOTS: u32 = 16u;
var<workgroup> chosen: array<f32, MOST_SLOTS>;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let token = group.x;
    stage_logits(token, lane);
    for (var expert = lane; expert < expert_total; expert += WG) {
        let slot = rank(expert);
        if slot < slots {
            experts[token * slots + slot] = expert;
            chosen[slot] = bitcast<f32>(logits[token * expert_total + expert]);
        }
    }
    workgroupBarrier();
    if lane < slots {
        routing[token * slots + lane] = exp(chosen[lane] - chosen[0]) / total();
    }
}

fn total() -> f32 {
    var sum = 0.0;
    for (var slot = 0u; slot < slots; slot++) {
        sum += exp(chosen[slot] - chosen[0]);
    }
    return sum;
}
