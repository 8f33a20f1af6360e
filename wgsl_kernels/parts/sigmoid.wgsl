// The sigmoid and what is made of it, written so that exp never overflows: WGSL's own tanh may.
fn sigmoid(x: f32) -> f32 {
    let e = exp(-abs(x));
    return select(e, 1.0, x >= 0.0) / (1.0 + e);
}

fn silu(x: f32) -> f32 {
    return x * sigmoid(x);
}

fn bounded_tanh(x: f32) -> f32 {
    return 2.0 * sigmoid(2.0 * x) - 1.0;
}

// cap * tanh(x / cap), or x where cap is 0.
fn soft_cap(x: f32, cap: f32) -> f32 {
    if cap == 0.0 {
        return x;
    }
    return cap * bounded_tanh(x / cap);
}
