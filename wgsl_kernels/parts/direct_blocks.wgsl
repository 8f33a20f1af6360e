// Weights in blocks of 32 with a float16 scale, of four rows: a column for each of the four values that `order` says, a
// component a row. A part direct_q*.wgsl unpacks the levels, a part zero_point_*.wgsl gives the zero point.
@group(0) @binding(4) var<storage, read> scales: array<u32>;

struct Scales {
    scale: vec4<f32>,
    zero: vec4<f32>,
}

fn scale_of(block: u32) -> f32 {
    return unpack2x16float(scales[block / 2u] >> (block % 2u * 16u)).x;
}

fn scales_of(four: vec4<u32>, b: u32) -> Scales {
    let block = four * (inner / 32u) + b;
    return Scales(
        vec4(scale_of(block.x), scale_of(block.y), scale_of(block.z), scale_of(block.w)),
        vec4(zero_point(four.x, b), zero_point(four.y, b), zero_point(four.z, b), zero_point(four.w, b)),
    );
}

fn weights(four: vec4<u32>, b: u32, k4: u32, order: vec4<u32>, by: Scales) -> mat4x4<f32> {
    let block = four * (inner / 32u) + b;
    return transpose(mat4x4(
        (levels(block.x, k4, order) - by.zero.x) * by.scale.x,
        (levels(block.y, k4, order) - by.zero.y) * by.scale.y,
        (levels(block.z, k4, order) - by.zero.z) * by.scale.z,
        (levels(block.w, k4, order) - by.zero.w) * by.scale.w,
    ));
}
