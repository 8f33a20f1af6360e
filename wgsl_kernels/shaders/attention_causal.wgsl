alias Elem = f32;
// Attention over the cache: token t sees rows 0 .. step.past + t, which are written already, and of these only the last
// `window` if there is one. A workgroup takes four tokens of one head; workgroups beyond the last token end at once.
const WG: u32 = 256u;
override kv_heads: u32;
override window: u32;  // 0: all
override softcap: f32; // 0: none

@group(0) @binding(0) var<uniform> step: Step;

fn visible(token: u32) -> vec2<u32> {
    let end = step.past + token + 1u;
    return vec2(select(0u, end - min(end, window), window != 0u), end);
}

fn capped(score: vec4<f32>) -> vec4<f32> {
    if softcap == 0.0 {
        return score;
    }
    return softcap * tanh(clamp(score / softcap, vec4(-15.0), vec4(15.0))); // tanh is 1 in f32 from 10 on
}

fn key_row(head: u32, row: u32) -> u32 {
    return (row * kv_heads + head / (heads / kv_heads)) * head_dim;
}

fn value_row(head: u32, row: u32) -> u32 {
    return key_row(head, row);
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    if group.y * QUERIES >= step.tokens {
        return;
    }
    attend(group.x, group.y * QUERIES, lane);
}
