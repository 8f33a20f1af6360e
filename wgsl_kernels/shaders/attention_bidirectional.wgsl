alias Elem = f32;
// Attention of packed sequences: a token sees the tokens of its own sequence, before and after it. A workgroup takes
// four tokens of one head, also where they belong to several sequences; workgroups beyond the last token end at once.
const WG: u32 = 32u;
override key_stride: u32;
override key_offset: u32;
override value_stride: u32;
override value_offset: u32;

@group(0) @binding(0) var<uniform> step: Step;
@group(0) @binding(5) var<storage, read> sequence_of: array<u32>; // [tokens]
@group(0) @binding(6) var<storage, read> bounds: array<u32>;      // [sequences + 1]

fn visible(token: u32) -> vec2<u32> {
    let sequence = sequence_of[token];
    return vec2(bounds[sequence], bounds[sequence + 1u]);
}

fn capped(score: vec4<f32>) -> vec4<f32> {
    return score;
}

fn key_row(head: u32, row: u32) -> u32 {
    return row * key_stride + key_offset + head * head_dim;
}

fn value_row(head: u32, row: u32) -> u32 {
    return row * value_stride + value_offset + head * head_dim;
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    if group.y * QUERIES >= step.tokens {
        return;
    }
    attend(group.x, group.y * QUERIES, lane);
}
