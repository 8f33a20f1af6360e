// log(1 + exp(x)). WGSL's log is only good to 2^-21 absolute near 1, which is all of a small result: log1p(e) is
// summed as 2 artanh(e / (2 + e)) instead, largest relative error 3e-7.
fn softplus(x: f32) -> f32 {
    let e = exp(-abs(x));
    let s = e / (2.0 + e);
    let q = s * s;
    let tail = 1.0 / 9.0 + q * (1.0 / 11.0 + q * (1.0 / 13.0 + q / 15.0));
    return max(x, 0.0) + 2.0 * s * (1.0 + q * (1.0 / 3.0 + q * (1.0 / 5.0 + q * (1.0 / 7.0 + q * tail))));
}
