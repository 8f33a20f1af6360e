// No prologue of a linear: its input is as it is stored.
var<workgroup> shares: array<vec4<f32>, SHARES>;

fn x_block(token: u32, b: u32) -> Block {
    return stored_block(token, b);
}

// Lays a lane's share of four sums out for `row_total`. Call from uniform control flow.
fn share(sums: vec4<f32>, place: vec3<u32>) {
    shares[place.y * LANES + place.x] = sums;
    if LANES > 1u {
        workgroupBarrier();
    }
}

fn row_total(i: u32, team: u32) -> f32 {
    var sum = 0.0;
    for (var lane = team * LANES; lane < (team + 1u) * LANES; lane++) {
        sum += shares[lane][i];
    }
    return sum;
}
