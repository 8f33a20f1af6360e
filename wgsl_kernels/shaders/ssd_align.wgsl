alias Elem = f32;
// x, B and C of a token, each head's and group's part filled up to a whole number of vec4 with zeros: for the rare
// model whose sizes do not give that by themselves.
override heads: u32;
override head_dim: u32;
override groups: u32;
override state_size: u32;
override stride: u32;
override x_offset: u32;
override b_offset: u32;
override c_offset: u32;
@group(0) @binding(0) var<uniform> step: Step;
@group(0) @binding(1) var<storage, read> xbc: array<Elem>; // [tokens, stride]
@group(0) @binding(2) var<storage, read_write> out: array<Elem>; // [tokens, wide + 2 * side]
const THREADS: u32 = 64u;

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let wide = heads * padded(head_dim);
    let side = groups * padded(state_size);
    let i = group.x * THREADS + lane;
    let token = group.y;
    if step.done != 0u || token >= step.tokens || i >= wide + 2u * side {
        return;
    }
    var value = Elem(0.0);
    if i < wide {
        value = part_at(token, x_offset, i, head_dim);
    } else if i < wide + side {
        value = part_at(token, b_offset, i - wide, state_size);
    } else {
        value = part_at(token, c_offset, i - wide - side, state_size);
    }
    out[token * (wide + 2u * side) + i] = value;
}

fn padded(width: u32) -> u32 {
    return (width + 3u) / 4u * 4u;
}

fn part_at(token: u32, offset: u32, i: u32, width: u32) -> Elem {
    let within = i % padded(width);
    if within >= width {
        return Elem(0.0);
    }
    return xbc[token * stride + offset + i / padded(width) * width + within];
}
