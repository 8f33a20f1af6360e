// Sums of four lanes that are a quad: each adds up every fourth value.
const SUM_STRIDE: u32 = 4u;

fn sum_of_lanes(value: f32) -> f32 {
    let pair = value + quadSwapX(value);
    return pair + quadSwapY(pair);
}
