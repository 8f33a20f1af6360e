// Blocks of levels with a float16 scale: value = (level - zero point) * scale. A part block_q*.wgsl multiplies the
// levels with 32 values, a part zero_point_*.wgsl gives the zero point, which is taken off the sum: sum((q - zero) * v)
// = sum(q * v) - zero * sum(v), and sum(v) is the same for all rows.
@group(0) @binding(4) var<storage, read> scales: array<u32>;

fn dot_block(row: u32, b: u32, v: Block, total: f32) -> f32 {
    let block = row * (inner / 32u) + b;
    let scale = unpack2x16float(scales[block / 2u] >> (block % 2u * 16u)).x;
    return (dot_levels(block, v) - zero_point(row, b) * total) * scale;
}
