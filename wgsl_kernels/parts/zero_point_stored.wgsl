// A zero point a block, of BITS bits, lowest bits first; each row of them starts at a whole byte.
@group(0) @binding(7) var<storage, read> zeros: array<u32>;

fn zero_point(row: u32, block_of_row: u32) -> f32 {
    let row_bytes = ((inner + 31u) / 32u * BITS + 7u) / 8u;
    let bit = row * row_bytes * 8u + block_of_row * BITS;
    return f32(extractBits(zeros[bit / 32u], bit % 32u, BITS));
}
