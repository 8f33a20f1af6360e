alias Elem = f32;
// As cache_write.wgsl, with rotary embedding of the keys on the way, and of the queries into a contiguous output:
// half-split (rotate_half), element d of the first rotary_dim of a head turns together with element d + rotary_dim / 2,
// the rest of the head passes through. Source: Su et al., RoFormer, 2021.
override width: u32;
override query_width: u32;
override head_dim: u32;
override rotary_dim: u32;
override query_stride: u32;
override query_offset: u32;
override key_stride: u32;
override key_offset: u32;
override value_stride: u32;
override value_offset: u32;

@group(0) @binding(0) var<uniform> step: Step;
@group(0) @binding(1) var<storage, read> key: array<Elem>;
@group(0) @binding(2) var<storage, read> value: array<Elem>;
@group(0) @binding(3) var<storage, read_write> keys: array<Elem>;   // [context, width]
@group(0) @binding(4) var<storage, read_write> values: array<Elem>; // [context, width]
@group(0) @binding(5) var<storage, read> query: array<Elem>;
@group(0) @binding(6) var<storage, read_write> out: array<Elem>;    // [tokens, query_width]
@group(0) @binding(7) var<storage, read> table: array<vec2<f32>>;   // [positions, rotary_dim / 2] of (cos, sin)

// The element of the head that element `i` turns with.
fn partner(i: u32) -> u32 {
    let d = i % head_dim;
    let half = rotary_dim / 2u;
    return select(i, select(i - half, i + half, d < half), d < rotary_dim);
}

fn turned(token: u32, i: u32, own: f32, other: f32) -> Elem {
    let d = i % head_dim;
    if d >= rotary_dim {
        return Elem(own);
    }
    let half = rotary_dim / 2u;
    let turn = table[(step.past + token) * half + d % half];
    return Elem(own * turn.x + select(other, -other, d < half) * turn.y);
}

fn write_query(token: u32, i: u32) {
    let start = token * query_stride + query_offset;
    out[token * query_width + i] = turned(token, i, f32(query[start + i]), f32(query[start + partner(i)]));
}

fn write_key(token: u32, i: u32) {
    let start = token * key_stride + key_offset;
    keys[(step.past + token) * width + i] = turned(token, i, f32(key[start + i]), f32(key[start + partner(i)]));
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let i = id.x;
    if step.done != 0u || i >= query_width + 2u * width {
        return;
    }
    if i < query_width {
        write_query(id.y, i);
    } else if i < query_width + width {
        write_key(id.y, i - query_width);
    } else {
        let at = i - query_width - width;
        values[(step.past + id.y) * width + at] = value[id.y * value_stride + value_offset + at];
    }
}
