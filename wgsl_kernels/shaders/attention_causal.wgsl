alias Elem = f32;
// Attention over the cache: token t sees rows 0 .. step.past + t, which are written already, and of these only the last
// `window` if there is one. A workgroup takes four tokens of one head; workgroups beyond the last token end at once.
const WG: u32 = 256u;
override kv_heads: u32;
override window: u32;  // 0: all

@group(0) @binding(0) var<uniform> step: Step;

fn visible(token: u32) -> vec2<u32> {
    let end = step.past + token + 1u;
    return vec2(select(0u, end - min(end, window), window != 0u), end);
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
