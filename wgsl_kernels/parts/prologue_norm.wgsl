// Prologue of a linear: its input is RMSNorm(x) = x / sqrt(mean(x^2) + epsilon) * norm. The factor is the same for a
// whole row, so it is multiplied into the totals: one walk over x gives both sums, and one barrier shares them.
override epsilon: f32;
@group(0) @binding(8) var<storage, read> norm: array<vec4<f32>>;
var<workgroup> shares: array<vec4<f32>, SHARES>;
var<workgroup> shared_squares: array<f32, SHARES>;
var<private> squares: f32;

fn x_block(token: u32, b: u32) -> Block {
    let v = stored_block(token, b);
    squares += dot(v.a, v.a) + dot(v.b, v.b) + dot(v.c, v.c) + dot(v.d, v.d)
        + dot(v.e, v.e) + dot(v.f, v.f) + dot(v.g, v.g) + dot(v.h, v.h);
    let at = b * 8u;
    return Block(
        v.a * norm[at], v.b * norm[at + 1u], v.c * norm[at + 2u], v.d * norm[at + 3u],
        v.e * norm[at + 4u], v.f * norm[at + 5u], v.g * norm[at + 6u], v.h * norm[at + 7u],
    );
}

// Lays a lane's share of four sums, and of the squares, out for `row_total`. Call from uniform control flow.
fn share(sums: vec4<f32>, place: vec3<u32>) {
    shares[place.y * LANES + place.x] = sums;
    shared_squares[place.y * LANES + place.x] = squares;
    if LANES > 1u {
        workgroupBarrier();
    }
}

fn row_total(i: u32, team: u32) -> f32 {
    var sum = 0.0;
    var square = 0.0;
    for (var lane = team * LANES; lane < (team + 1u) * LANES; lane++) {
        sum += shares[lane][i];
        square += shared_squares[lane];
    }
    return sum * inverseSqrt(square / f32(inner) + epsilon);
}
