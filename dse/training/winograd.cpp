// 3x3 convolutions of stride 1 and padding 1, forward and backward, on channels-last arrays: Winograd F(2x2, 3x3).
//
// A 2x2 tile of outputs needs 16 products per pair of channels instead of 36 (Lavin and Gray, 2016, arXiv 1509.09308):
//     out = A' [ sum over ci of (G w G') * (B' d B) ] A,   d the 4x4 inputs around the tile.
// B and A hold 0, 1 and -1, G halves as well, so spikes times small integer weights stay exact. The sums over channels
// are 16 matrix products, on float32 or, where the processor has them, on pairs of bfloat16 with float32 sums.
// The backward pass by input is the same with turned weights; by weight it is the transpose of each step.

#include "lanes.h"

#include <omp.h>

// Mirrored field by field in native.py. Channels are multiples of 16; weights are float32 [3][3][in][out].
struct Convolution {
    int64_t images, rows, columns, in, out;
    int32_t threads;

    int64_t tile_rows() const { return (rows + 1) / 2; }
    int64_t tile_columns() const { return (columns + 1) / 2; }
    int64_t tiles() const { return images * tile_rows() * tile_columns(); }
};

namespace {

constexpr int64_t kPoints = 16;  // products of a tile
constexpr int64_t kHeight = 8;   // rows of a block of sums held in registers
constexpr int64_t kPanel = 2 * kLanes;
constexpr int64_t kLevel2Bytes = 640 * 1024;  // what one block of tiles may take of the second-level cache

// A matrix element: one float, or two bfloat16 that are neighbours along the summed dimension.
struct Single {
    using Element = float;
    using Word = float;
    static constexpr int64_t kPer = 1;
    static Vec multiply_add(Vec sum, const Word* a, const Word* b) { return sum + *a * load(b); }
};

#ifdef __AVX512BF16__
struct Paired {
    using Element = Bfloat16;
    using Word = uint32_t;
    static constexpr int64_t kPer = 2;
    static Vec multiply_add(Vec sum, const Word* a, const Word* b) {
        __m512i left = _mm512_set1_epi32((int)*a), right = _mm512_loadu_si512(b);
        return (Vec)_mm512_dpbf16_ps((__m512)sum, (__m512bh)left, (__m512bh)right);
    }
};
#endif

#ifdef __AVX512BF16__
Words pair(Vec low, Vec high) {
    const __m512i interleave = _mm512_set_epi16(31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8, 23, 7, 22, 6,
                                                21, 5, 20, 4, 19, 3, 18, 2, 17, 1, 16, 0);
    __m512i both = (__m512i)_mm512_cvtne2ps_pbh((__m512)high, (__m512)low);
    return (Words)_mm512_permutexvar_epi16(interleave, both);
}
#else
Words pair(Vec low, Vec high) { return (rounded(low) >> 16) | (rounded(high) & 0xffff0000); }
#endif

// sums[i][j] (+)= sum over k of a[i * a_row + k * a_step] * b[k * kPanel + j], for 8 rows i and kVectors * 16 columns j.
template <class M, int kVectors>
void multiply(int64_t depth, const typename M::Word* a, int64_t a_row, int64_t a_step, const typename M::Word* b,
              float* sums, int64_t sums_row, bool add) {
    Vec block[kHeight][kVectors];
#pragma GCC unroll 8
    for (int64_t i = 0; i < kHeight; ++i)
#pragma GCC unroll 2
        for (int64_t j = 0; j < kVectors; ++j) block[i][j] = add ? load(sums + i * sums_row + j * kLanes) : zero();
    for (int64_t k = 0; k < depth; ++k) {
#pragma GCC unroll 8
        for (int64_t i = 0; i < kHeight; ++i)
#pragma GCC unroll 2
            for (int64_t j = 0; j < kVectors; ++j)
                block[i][j] = M::multiply_add(block[i][j], a + i * a_row + k * a_step, b + k * kPanel + j * kLanes);
    }
#pragma GCC unroll 8
    for (int64_t i = 0; i < kHeight; ++i)
#pragma GCC unroll 2
        for (int64_t j = 0; j < kVectors; ++j) store(sums + i * sums_row + j * kLanes, block[i][j]);
}

// A whole product: rows (a multiple of 8) x columns (of 16); b lies in panels of 32 columns, [columns / 32][depth][32].
template <class M>
void product(int64_t rows, int64_t columns, int64_t depth, const typename M::Word* a, int64_t a_row, int64_t a_step,
             const typename M::Word* b, float* sums, bool add) {
    for (int64_t j = 0; j < columns; j += kPanel) {
        auto run = columns - j >= kPanel ? multiply<M, 2> : multiply<M, 1>;
        for (int64_t i = 0; i < rows; i += kHeight)
            run(depth, a + i * a_row, a_row, a_step, b + j * depth, sums + i * columns + j, columns, add);
    }
}

int64_t panels(int64_t columns) { return (columns + kPanel - 1) / kPanel * kPanel; }

// One dimension of each transform, on vectors `step` apart.
void inward(const Vec* d, Vec* t, int64_t step) {
    t[0] = d[0] - d[2 * step];
    t[step] = d[step] + d[2 * step];
    t[2 * step] = d[2 * step] - d[step];
    t[3 * step] = d[step] - d[3 * step];
}

void inward_both(Vec* d) {
    Vec t[kPoints];
    for (int i = 0; i < 4; ++i) inward(d + i, t + i, 4);
    for (int i = 0; i < 4; ++i) inward(t + 4 * i, d + 4 * i, 1);
}

// Addresses of the 4x4 inputs around a tile, or of the 2x2 outputs of it; what lies outside is read as zeros.
template <class E, int kEdge>
void neighbours(const Convolution& c, const E* x, int64_t channels, int64_t tile, const E* nothing, const E** at) {
    const int64_t column = tile % c.tile_columns(), row = tile / c.tile_columns() % c.tile_rows();
    const int64_t image = tile / c.tile_columns() / c.tile_rows();
    for (int64_t i = 0; i < kEdge; ++i)
        for (int64_t j = 0; j < kEdge; ++j) {
            const int64_t r = 2 * row + i - (kEdge - 2) / 2, q = 2 * column + j - (kEdge - 2) / 2;
            const bool inside = tile < c.tiles() && r >= 0 && r < c.rows && q >= 0 && q < c.columns;
            at[i * kEdge + j] = inside ? x + ((image * c.rows + r) * c.columns + q) * channels : nothing;
        }
}

template <class E>
void gather_input(const E** at, int64_t channel, Vec* d) {
    for (int64_t p = 0; p < kPoints; ++p) d[p] = load(at[p] + channel);
    inward_both(d);
}

// Gradient of the 2x2 outputs spread over the 16 products.
template <class E>
void gather_gradient(const E** at, int64_t channel, Vec* z) {
    Vec t[8];
    auto spread = [](Vec a, Vec b, Vec* to, int64_t step) {
        to[0] = a;
        to[step] = a + b;
        to[2 * step] = a - b;
        to[3 * step] = -b;
    };
    for (int j = 0; j < 2; ++j) spread(load(at[j] + channel), load(at[2 + j] + channel), t + j, 2);
    for (int i = 0; i < 4; ++i) spread(t[2 * i], t[2 * i + 1], z + 4 * i, 1);
}

template <class E>
void scatter_output(const Convolution& c, const float* sums, int64_t point_step, int64_t tile, E* out) {
    const int64_t column = tile % c.tile_columns(), row = tile / c.tile_columns() % c.tile_rows();
    const int64_t image = tile / c.tile_columns() / c.tile_rows();
    E* to = out + ((image * c.rows + 2 * row) * c.columns + 2 * column) * c.out;
    const bool below = 2 * row + 1 < c.rows, beside = 2 * column + 1 < c.columns;
    for (int64_t m = 0; m < c.out; m += kLanes) {
        Vec t[8], s[4];
        for (int j = 0; j < 4; ++j) {
            for (int i = 0; i < 4; ++i) s[i] = load(sums + (4 * i + j) * point_step + m);
            t[j] = s[0] + s[1] + s[2];
            t[4 + j] = s[1] - s[2] - s[3];
        }
        store(to + m, t[0] + t[1] + t[2]);
        if (beside) store(to + c.out + m, t[1] - t[2] - t[3]);
        if (below) store(to + c.columns * c.out + m, t[4] + t[5] + t[6]);
        if (below && beside) store(to + (c.columns + 1) * c.out + m, t[5] - t[6] - t[7]);
    }
}

void store_words(float* to, Vec low, Vec) { store(to, low); }
void store_words(uint32_t* to, Vec low, Vec high) {
    Words w = pair(low, high);
    std::memcpy(to, &w, sizeof w);
}

// Weights [3][3][in][out] to 16 matrices in panels, [16][out / 32][in / per][32].
template <class M>
void transform_weights(const Convolution& c, const float* weights, typename M::Word* to) {
    const int64_t depth = c.in / M::kPer, matrix = panels(c.out) * depth;
    auto widen3 = [](const Vec* g, Vec* u, int64_t from, int64_t step) {
        Vec sum = g[0] + g[2 * from];
        u[0] = g[0];
        u[step] = 0.5f * (sum + g[from]);
        u[2 * step] = 0.5f * (sum - g[from]);
        u[3 * step] = g[2 * from];
    };
    for (int64_t k = 0; k < depth; ++k)
        for (int64_t m = 0; m < c.out; m += kLanes) {
            Vec u[2][kPoints] = {};
            for (int64_t half = 0; half < M::kPer; ++half) {
                Vec g[9], t[12];
                for (int p = 0; p < 9; ++p) g[p] = load(weights + (p * c.in + k * M::kPer + half) * c.out + m);
                for (int j = 0; j < 3; ++j) widen3(g + j, t + j, 3, 3);
                for (int i = 0; i < 4; ++i) widen3(t + 3 * i, u[half] + 4 * i, 1, 1);
            }
            for (int64_t p = 0; p < kPoints; ++p)
                store_words(to + p * matrix + (m / kPanel) * kPanel * depth + k * kPanel + m % kPanel, u[0][p], u[1][p]);
        }
}

int64_t block_tiles(int64_t bytes_per_tile) {
    return std::clamp(kLevel2Bytes / bytes_per_tile / kHeight * kHeight, 2 * kHeight, 16 * kHeight);
}

// Rows of scratch memory are shifted by a line from matrix to matrix, lest all 16 fall into one set of the cache.
constexpr int64_t kShift = kLanes;

template <class M>
void convolve(const Convolution& c, const typename M::Element* x, const float* weights, typename M::Element* out) {
    using E = typename M::Element;
    const int64_t depth = c.in / M::kPer, matrix = panels(c.out) * depth;
    const int64_t block = block_tiles(kPoints * (c.in * sizeof(E) + c.out * sizeof(float)));
    const int64_t blocks = (c.tiles() + block - 1) / block;
    const int64_t in_point = block * c.in + 2 * kShift, out_point = block * c.out + kShift;
    std::vector<typename M::Word> u(kPoints * matrix);
    transform_weights<M>(c, weights, u.data());
#pragma omp parallel num_threads(c.threads)
    {
        std::vector<E> v(kPoints * in_point), nothing(c.in);
        std::vector<float> sums(kPoints * out_point);
#pragma omp for schedule(static)
        for (int64_t b = 0; b < blocks; ++b) {
            const int64_t first = b * block, filled = std::min(block, c.tiles() - first);
            const int64_t rows = (filled + kHeight - 1) / kHeight * kHeight;
            for (int64_t t = 0; t < filled; ++t) {
                const E* at[kPoints];
                neighbours<E, 4>(c, x, c.in, first + t, nothing.data(), at);
                for (int64_t m = 0; m < c.in; m += kLanes) {
                    Vec d[kPoints];
                    gather_input(at, m, d);
                    for (int64_t p = 0; p < kPoints; ++p) store(v.data() + p * in_point + t * c.in + m, d[p]);
                }
            }
            for (int64_t p = 0; p < kPoints; ++p)
                product<M>(rows, c.out, depth, (const typename M::Word*)(v.data() + p * in_point), depth, 1,
                           u.data() + p * matrix, sums.data() + p * out_point, false);
            for (int64_t t = 0; t < filled; ++t)
                scatter_output(c, sums.data() + t * c.out, out_point, first + t, out);
        }
    }
}

// Gradient of the weights, [3][3][in][out].
template <class M>
void convolve_weights(const Convolution& c, const typename M::Element* x, const typename M::Element* grad,
                      float* by_weights) {
    using E = typename M::Element;
    using Word = typename M::Word;
    const int64_t block = block_tiles(kPoints * (c.in + panels(c.out)) * sizeof(E)), depth = block / M::kPer;
    const int64_t blocks = (c.tiles() + block - 1) / block, matrix = c.in * c.out;
    const int64_t in_point = depth * c.in + kShift, out_point = depth * panels(c.out) + kShift;
    std::vector<float> totals(c.threads * kPoints * matrix, 0.0f);
#pragma omp parallel num_threads(c.threads)
    {
        std::vector<Word> v(kPoints * in_point), z(kPoints * out_point);
        std::vector<E> nothing(std::max(c.in, c.out));
        float* total = totals.data() + omp_get_thread_num() * kPoints * matrix;
#pragma omp for schedule(static)
        for (int64_t b = 0; b < blocks; ++b) {
            for (int64_t k = 0; k < depth; ++k) {
                const E *in_at[2][kPoints], *out_at[2][4];
                for (int64_t half = 0; half < M::kPer; ++half) {
                    const int64_t tile = b * block + k * M::kPer + half;
                    neighbours<E, 4>(c, x, c.in, tile, nothing.data(), in_at[half]);
                    neighbours<E, 2>(c, grad, c.out, tile, nothing.data(), out_at[half]);
                }
                for (int64_t m = 0; m < c.in; m += kLanes) {
                    Vec d[2][kPoints];
                    for (int64_t half = 0; half < M::kPer; ++half) gather_input(in_at[half], m, d[half]);
                    for (int64_t p = 0; p < kPoints; ++p)
                        store_words(v.data() + p * in_point + k * c.in + m, d[0][p], d[M::kPer - 1][p]);
                }
                for (int64_t m = 0; m < c.out; m += kLanes) {
                    Vec d[2][kPoints];
                    for (int64_t half = 0; half < M::kPer; ++half) gather_gradient(out_at[half], m, d[half]);
                    Word* to = z.data() + (m / kPanel) * kPanel * depth + k * kPanel + m % kPanel;
                    for (int64_t p = 0; p < kPoints; ++p) store_words(to + p * out_point, d[0][p], d[M::kPer - 1][p]);
                }
            }
            for (int64_t p = 0; p < kPoints; ++p)
                product<M>(c.in, c.out, depth, v.data() + p * in_point, 1, c.in, z.data() + p * out_point,
                           total + p * matrix, true);
        }
    }
    auto narrow3 = [](const Vec* u, Vec* g, int64_t from, int64_t step) {
        Vec sum = 0.5f * (u[from] + u[2 * from]);
        g[0] = u[0] + sum;
        g[step] = 0.5f * (u[from] - u[2 * from]);
        g[2 * step] = sum + u[3 * from];
    };
    for (int64_t at = 0; at < matrix; at += kLanes) {
        Vec u[kPoints], t[12], g[9];
        for (int64_t p = 0; p < kPoints; ++p) {
            u[p] = zero();
            for (int64_t thread = 0; thread < c.threads; ++thread)
                u[p] += load(totals.data() + (thread * kPoints + p) * matrix + at);
        }
        for (int j = 0; j < 4; ++j) narrow3(u + j, t + j, 4, 4);
        for (int i = 0; i < 3; ++i) narrow3(t + 4 * i, g + 3 * i, 1, 1);
        for (int p = 0; p < 9; ++p) store(by_weights + p * matrix + at, g[p]);
    }
}

}  // namespace

extern "C" {

// Whether bfloat16 arrays can be convolved.
int32_t convolution_takes_half() {
#ifdef __AVX512BF16__
    return 1;
#else
    return 0;
#endif
}

void convolution_forward(int32_t half, const Convolution* c, const void* x, const float* weights, void* out) {
#ifdef __AVX512BF16__
    if (half) return convolve<Paired>(*c, (const Bfloat16*)x, weights, (Bfloat16*)out);
#endif
    convolve<Single>(*c, (const float*)x, weights, (float*)out);
}

void convolution_weights(int32_t half, const Convolution* c, const void* x, const void* grad, float* by_weights) {
#ifdef __AVX512BF16__
    if (half) return convolve_weights<Paired>(*c, (const Bfloat16*)x, (const Bfloat16*)grad, by_weights);
#endif
    convolve_weights<Single>(*c, (const float*)x, (const float*)grad, by_weights);
}
}
