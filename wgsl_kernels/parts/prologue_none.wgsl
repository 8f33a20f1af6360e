// No prologue of a linear: its input is as it is stored.
var<workgroup> shares: array<vec4<f32>, LANES>;

fn x_block(token: u32, b: u32) -> Block {
    return stored_block(token, b);
}

// Lays a lane's share of four sums out for `row_total`. Call from uniform control flow.
fn share(sums: vec4<f32>, lane: u32) {
    shares[lane] = sums;
    workgroupBarrier();
}

fn row_total(i: u32) -> f32 {
    var sum = 0.0;
    for (var lane = 0u; lane < LANES; lane++) {
        sum += shares[lane][i];
    }
    return sum;
}
