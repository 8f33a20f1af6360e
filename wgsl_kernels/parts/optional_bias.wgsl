// A bias that may be absent: then has_bias is 0, and whatever is bound in its place is not read.
override has_bias: u32;

fn bias_at(i: u32) -> f32 {
    if has_bias == 0u {
        return 0.0;
    }
    return bias[i];
}
