// An elementwise activation, chosen when the pipeline is made: 0 none, 1 GELU by erf, 2 GELU by tanh, 3 ReLU, 4 SiLU,
// 5 tanh, 6 sigmoid. The twin (reference/activations.py) has the same codes.
override activation: u32;

fn activated(x: f32) -> f32 {
    switch activation {
        case 1u: { return 0.5 * x * (1.0 + erf(x * 0.70710678)); }
        // 1 + tanh(u) = 2 * sigmoid(2 * u), here with u = sqrt(2 / pi) * (x + 0.044715 * x^3), held where exp(-2u) is 0.
        case 2u: { return x * sigmoid(clamp(1.5957691 * (x + 0.044715 * x * x * x), -200.0, 200.0)); }
        case 3u: { return max(x, 0.0); }
        case 4u: { return silu(x); }
        case 5u: { return bounded_tanh(x); }
        case 6u: { return sigmoid(x); }
        default: { return x; }
    }
}

// Abramowitz and Stegun, Handbook of Mathematical Functions, 7.1.26: |error| <= 1.5e-7, about 3e-7 in f32.
fn erf(x: f32) -> f32 {
    let t = 1.0 / (1.0 + 0.3275911 * abs(x));
    let poly = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
    return sign(x) * (1.0 - poly * exp(-x * x));
}
