// Sums of four lanes where lanes cannot talk without barriers: each adds up everything.
const SUM_STRIDE: u32 = 1u;

fn sum_of_lanes(value: f32) -> f32 {
    return value;
}
