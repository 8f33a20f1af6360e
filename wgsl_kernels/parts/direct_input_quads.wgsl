// Four values of a linear's input, which the lanes of a quad load one each and hand around: a quarter of the loads. So
// each lane has them in another order, which `order_of` says. All lanes of a quad must ask for the same; quads are
// taken to be neighbours in a workgroup of one dimension.
@group(0) @binding(1) var<storage, read> x: array<Elem>;

fn order_of(lane: u32) -> vec4<u32> {
    return vec4(lane % 4u) ^ vec4(0u, 1u, 2u, 3u);
}

fn input4(token: u32, k4: u32, lane: u32) -> vec4<f32> {
    let own = f32(x[token * inner + k4 * 4u + lane % 4u]);
    return vec4(own, quadSwapX(own), quadSwapY(own), quadSwapDiagonal(own));
}
