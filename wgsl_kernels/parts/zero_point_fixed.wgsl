// The zero point of a symmetric format: the middle of the levels.
fn zero_point(row: u32, block_of_row: u32) -> f32 {
    return f32(1u << (BITS - 1u));
}
