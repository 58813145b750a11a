// Batch statistics, integrate-and-fire over T steps and pooling, forward and backward, for channels-last arrays.
//
// The C twin of the plain torch functions in neuron.py, where the equations are. An array is [steps * batch, rows,
// columns, channels], channels innermost; elements are float32 or bfloat16, arithmetic is float32, sums over an array
// are double. Sums are taken over a number of slices fixed by the shape, so no answer depends on the number of threads.

#include "lanes.h"

namespace {

constexpr int64_t kSlices = 64;
constexpr int64_t kRun = 128;  // pixels that one vector of channels passes over before the next does
constexpr float kPi = 3.14159265358979323846f;

bool any(Bits b) {
    int32_t seen = 0;
    for (int64_t i = 0; i < kLanes; ++i) seen |= b[i];
    return seen != 0;
}

Vec where(Bits b, Vec yes, Vec no) { return b ? yes : no; }

}  // namespace

enum Pooling : int32_t { kOr, kAverage, kMembrane, kCount };  // the order of POOLINGS in native.py

// Mirrored field by field in native.py.
struct Layer {
    int64_t steps, batch, rows, columns, channels, pool;
    int32_t pooling, levels, soft, dual, arctan, is_static, threads;
    float ratio, width;

    bool ranked() const { return pooling == kMembrane || pooling == kCount; }
    int64_t out_rows() const { return rows / pool; }
    int64_t out_columns() const { return columns / pool; }
    int64_t out_channels() const { return dual ? 2 * channels : channels; }
    int64_t in_step() const { return is_static ? 0 : batch * rows * columns * channels; }
    int64_t out_step() const { return batch * out_rows() * out_columns() * out_channels(); }
    int64_t in_at(int64_t b, int64_t r, int64_t c) const { return ((b * rows + r) * columns + c) * channels; }
    int64_t out_at(int64_t b, int64_t r, int64_t c) const {
        return ((b * out_rows() + r) * out_columns() + c) * out_channels();
    }
};

namespace {

// Every store may change what a reference points to, as far as the compiler knows: what the inner loops read of a layer
// is copied into constants first.
struct Surrogate {
    const bool arctan;
    const float half, height, slope;

    explicit Surrogate(const Layer& l)
        : arctan(l.arctan), half(l.width / 2), height(1.0f / l.width), slope(kPi / l.width) {}

    Vec operator()(Vec distance) const {
        if (arctan) {
            Vec d = slope * distance;
            return height / (1.0f + d * d);
        }
        return where((distance < half) & (distance > -half), zero() + height, zero());
    }
};

// How many of the thresholds unit, 2 unit, ... levels unit are reached.
Vec strength(Vec u, float unit, int32_t levels) {
    const Vec one = zero() + 1.0f;
    Vec reached = where(u >= unit, one, zero());
    for (int32_t level = 2; level <= levels; ++level) reached += where(u >= level * unit, one, zero());
    return reached;
}

// Surrogate gradient of a strength by its potential and, negated, by its unit.
struct Slopes {
    Vec by_u, by_unit;
};

Slopes slopes(const Surrogate& window, Vec u, float unit, int32_t levels) {
    Slopes sum;
    sum.by_u = sum.by_unit = window(u - unit);
    for (int32_t level = 2; level <= levels; ++level) {
        const Vec one = window(u - level * unit);
        sum.by_u += one;
        sum.by_unit += (float)level * one;
    }
    return sum;
}

// The neuron of a window with the highest rank so far, the first of equals.
struct Winner {
    Vec rank, u, cell;

    void meet(Vec other_rank, Vec other_u, int64_t other_cell) {
        const Bits better = other_rank > rank;
        rank = where(better, other_rank, rank);
        u = where(better, other_u, u);
        cell = where(better, zero() + (float)other_cell, cell);
    }
};

// Spikes of one pooling window over all steps, for one vector of channels.
template <class E, int kPool, bool kRanked>
void fire(const Layer& l, const E* x, E* out, Vec scale, Vec shift, int64_t n) {
    const int64_t pool = kPool ? kPool : l.pool, cells = pool * pool, steps = l.steps;
    const int64_t in_step = l.in_step(), out_step = l.out_step(), row = l.columns * l.channels, channels = l.channels;
    const bool average = l.pooling == kAverage, by_count = l.pooling == kCount, dual = l.dual, soft = l.soft;
    const int32_t levels = l.levels;
    const float ratio = l.ratio;
    Vec fixed_left[kPool ? 2 * kPool * kPool : 1];
    std::vector<Vec> grown(kPool ? 0 : 2 * cells);
    Vec* left = kPool ? fixed_left : grown.data();
    Vec* gathered = left + cells;  // ranks, where they are not the potentials themselves
    for (int64_t k = 0; k < cells; ++k) left[k] = zero();
    if (kRanked)
        for (int64_t k = 0; k < cells; ++k) gathered[k] = zero();
    for (int64_t t = 0; t < steps; ++t) {
        const E* in = x + t * in_step;
        Vec top = zero(), lower = zero(), upper = zero();
        Winner winner;
#pragma GCC unroll 4
        for (int64_t k = 0; k < cells; ++k) {
            const Vec y = load(in + (k / pool) * row + (k % pool) * channels, n) * scale + shift, u = left[k] + y;
            const Vec s = strength(u, 1.0f, levels);
            if (kRanked) {
                gathered[k] += by_count ? s : y;
                if (k == 0)
                    winner = {gathered[k], u, zero()};
                else
                    winner.meet(gathered[k], u, k);
            } else if (average) {
                lower += s;
                if (dual) upper += strength(u, ratio, levels);
            } else {
                top = k == 0 ? u : where(u > top, u, top);
            }
            left[k] = soft ? u - s : where(u >= 1.0f, zero(), u);
        }
        if (kRanked) top = winner.u;
        if (!average) {
            lower = strength(top, 1.0f, levels);
            upper = strength(top, ratio, levels);
        }
        store(out + t * out_step, lower, n);
        if (dual) store(out + t * out_step + channels, upper, n);
    }
    Vec poison = zero();
    for (int64_t k = 0; k < cells; ++k) poison += left[k] * 0.0f;
    if (__builtin_expect(any(poison != poison), 0)) {
        for (int64_t t = 0; t < steps; ++t) {
            E* o = out + t * out_step;
            store(o, load(o, n) + poison, n);
            if (dual) store(o + channels, load(o + channels, n) + poison, n);
        }
    }
}

template <class E, int kPool, bool kRanked>
void forward(const Layer& l, const E* x, const float* scale, const float* shift, E* out) {
#pragma omp parallel for schedule(static) num_threads(l.threads)
    for (int64_t row = 0; row < l.batch * l.out_rows(); ++row) {
        const int64_t b = row / l.out_rows(), r = row % l.out_rows();
        for (int64_t c = 0; c < l.out_columns(); ++c)
            for (int64_t m = 0; m < l.channels; m += kLanes) {
                const int64_t n = l.channels - m;
                fire<E, kPool, kRanked>(l, x + l.in_at(b, r * l.pool, c * l.pool) + m, out + l.out_at(b, r, c) + m,
                               load(scale + m, n), load(shift + m, n), n);
            }
    }
}

// What the backward pass adds up for one vector of channels.
struct Sums {
    Vec y, normal, ratio;

    void operator+=(const Sums& other) { y += other.y, normal += other.normal, ratio += other.ratio; }
};

// Vectors that `learn` keeps of a window of `cells`: potentials [steps][cells], three rows of cells, winners [steps][2].
int64_t history_size(int64_t steps, int64_t cells) { return (steps + 3) * cells + 2 * steps; }

// Gradient of the normalised input of one pooling window at all steps, for one vector of channels. `history` has room
// for `history_size`.
template <class E, int kPool, bool kRanked>
Sums learn(const Layer& l, const E* x, const E* grad, E* by_y, Vec scale, Vec shift, Vec mean, Vec* history, int64_t n) {
    const int64_t pool = kPool ? kPool : l.pool, cells = pool * pool, steps = l.steps;
    const int64_t in_step = l.in_step(), out_step = l.out_step(), row = l.columns * l.channels, channels = l.channels;
    const bool average = l.pooling == kAverage, by_count = l.pooling == kCount;
    const bool dual = l.dual, soft = l.soft, is_static = l.is_static;
    const int32_t levels = l.levels;
    const float ratio = l.ratio;
    const Surrogate window(l);
    auto at = [=](int64_t k) { return (k / pool) * row + (k % pool) * channels; };
    Vec* carried = history + steps * cells;  // one per cell
    Vec* total = carried + cells;
    Vec* gathered = total + cells;
    Vec* winners = gathered + cells;  // potential and cell at every step
    for (int64_t k = 0; k < cells; ++k) carried[k] = total[k] = zero();
    if (kRanked)
        for (int64_t k = 0; k < cells; ++k) gathered[k] = zero();
    for (int64_t t = 0; t < steps; ++t) {
        Winner winner;
#pragma GCC unroll 4
        for (int64_t k = 0; k < cells; ++k) {
            const Vec y = load(x + t * in_step + at(k), n) * scale + shift, u = carried[k] + y;
            history[t * cells + k] = u;
            if (kRanked) {
                gathered[k] += by_count ? strength(u, 1.0f, levels) : y;
                if (k == 0)
                    winner = {gathered[k], u, zero()};
                else
                    winner.meet(gathered[k], u, k);
            }
            carried[k] = soft ? u - strength(u, 1.0f, levels) : where(u >= 1.0f, zero(), u);
        }
        if (kRanked) winners[2 * t] = winner.u, winners[2 * t + 1] = winner.cell;
    }
    for (int64_t k = 0; k < cells; ++k) carried[k] = zero();
    Sums sums{zero(), zero(), zero()};
    for (int64_t t = steps - 1; t >= 0; --t) {
        const Vec* u = history + t * cells;
        Vec lower = load(grad + t * out_step, n);
        Vec upper = dual ? load(grad + t * out_step + channels, n) : zero();
        Vec top = u[0];
        if (kRanked) {
            top = winners[2 * t];
        } else {
#pragma GCC unroll 4
            for (int64_t k = 1; k < cells; ++k) top = where(u[k] > top, u[k], top);
        }
        if (!average) {  // the window's gradient is that of its winner
            const Slopes first = slopes(window, top, 1.0f, levels);
            lower = lower * first.by_u;
            if (dual) {
                const Slopes second = slopes(window, top, ratio, levels);
                sums.ratio -= upper * second.by_unit;
                lower += upper * second.by_u;
            }
        }
#pragma GCC unroll 4
        for (int64_t k = 0; k < cells; ++k) {
            Vec du;
            if (average) {
                const Slopes first = slopes(window, u[k], 1.0f, levels);
                du = lower * first.by_u;
                if (dual) {
                    const Slopes second = slopes(window, u[k], ratio, levels);
                    sums.ratio -= upper * second.by_unit;
                    du += upper * second.by_u;
                }
            } else if (kRanked) {
                du = where(winners[2 * t + 1] == (float)k, lower, zero());
            } else {  // the first of equals takes it
                du = where(u[k] == top, lower, zero());
                lower = where(u[k] == top, zero(), lower);
            }
            du += where(u[k] >= 1.0f, soft ? carried[k] : zero(), carried[k]);
            carried[k] = du;
            if (is_static) {
                total[k] += du;
            } else {
                store(by_y + t * in_step + at(k), du, n);
                sums.y += du;
                sums.normal += du * (load(x + t * in_step + at(k), n) - mean);
            }
        }
    }
    if (is_static)
        for (int64_t k = 0; k < cells; ++k) {
            store(by_y + at(k), total[k], n);
            sums.y += total[k];
            sums.normal += total[k] * (load(x + at(k), n) - mean);
        }
    return sums;
}

// Pixels that no pooling window covers learn nothing from a spike.
template <class E>
void clear_edge(const Layer& l, E* by_y, int64_t b) {
    const int64_t steps = l.is_static ? 1 : l.steps;
    const int64_t rows = l.out_rows() * l.pool, columns = l.out_columns() * l.pool;
    for (int64_t t = 0; t < steps; ++t)
        for (int64_t r = 0; r < l.rows; ++r) {
            const int64_t from = r < rows ? columns : 0;
            std::memset(by_y + t * l.in_step() + l.in_at(b, r, from), 0, (l.columns - from) * l.channels * sizeof(E));
        }
}

template <class E, int kPool, bool kRanked>
void backward(const Layer& l, const E* x, const E* grad, const float* scale, const float* shift, const float* mean,
              E* by_y, double* sums) {
    const int64_t slices = std::min(kSlices, l.batch), width = 3 * l.channels;
    std::vector<double> parts(slices * width, 0.0);
#pragma omp parallel num_threads(l.threads)
    {
        std::vector<Vec> history(history_size(l.steps, l.pool * l.pool));
        std::vector<float> row(width + kLanes);
#pragma omp for schedule(static)
        for (int64_t slice = 0; slice < slices; ++slice)
            for (int64_t b = slice * l.batch / slices; b < (slice + 1) * l.batch / slices; ++b) {
                clear_edge(l, by_y, b);
                for (int64_t r = 0; r < l.out_rows(); ++r) {
                    for (int64_t m = 0; m < l.channels; m += kLanes) {
                        const int64_t n = l.channels - m;
                        const Vec by = load(scale + m, n), add = load(shift + m, n), centre = load(mean + m, n);
                        Sums s{zero(), zero(), zero()};
                        for (int64_t c = 0; c < l.out_columns(); ++c) {
                            const int64_t in = l.in_at(b, r * l.pool, c * l.pool) + m, out = l.out_at(b, r, c) + m;
                            s += learn<E, kPool, kRanked>(l, x + in, grad + out, by_y + in, by, add, centre,
                                                          history.data(), n);
                        }
                        float* to = row.data() + m;
                        store(to, s.y, n);
                        store(to + l.channels, s.normal, n);
                        store(to + 2 * l.channels, s.ratio, n);
                    }
                    for (int64_t i = 0; i < width; ++i) parts[slice * width + i] += row[i];
                }
            }
    }
    for (int64_t i = 0; i < width; ++i) {
        sums[i] = 0;
        for (int64_t slice = 0; slice < slices; ++slice) sums[i] += parts[slice * width + i];
    }
}

// by_y becomes the gradient of x: gain * (by_y - offset - slope * (x - mean)), channel by channel.
template <class E>
void finish(int64_t pixels, int64_t channels, int32_t threads, const E* x, const float* gain, const float* offset,
            const float* slope, const float* mean, E* by_y) {
#pragma omp parallel for schedule(static) num_threads(threads)
    for (int64_t p = 0; p < pixels; ++p)
        for (int64_t m = 0; m < channels; m += kLanes) {
            const int64_t n = channels - m, at = p * channels + m;
            Vec centred = load(x + at, n) - load(mean + m, n);
            Vec g = load(by_y + at, n) - load(offset + m, n) - load(slope + m, n) * centred;
            store(by_y + at, load(gain + m, n) * g, n);
        }
}

// Sums of (x - first) and of its square, where first is the array's first pixel: no cancellation where a channel's
// mean is far from 0.
template <class E>
void moments(int64_t pixels, int64_t channels, int32_t threads, const E* x, double* mean, double* variance) {
    const int64_t slices = std::min(kSlices, pixels), width = 2 * channels;
    std::vector<double> parts(slices * width, 0.0);
#pragma omp parallel num_threads(threads)
    {
        std::vector<float> sums(width + kLanes);
#pragma omp for schedule(static)
        for (int64_t slice = 0; slice < slices; ++slice) {
            const int64_t from = slice * pixels / slices, to = (slice + 1) * pixels / slices;
            for (int64_t start = from; start < to; start += kRun) {
                for (int64_t m = 0; m < channels; m += kLanes) {
                    const int64_t n = channels - m;
                    const Vec first = load(x + m, n);
                    Vec one = zero(), two = zero();
                    for (int64_t p = start; p < std::min(start + kRun, to); ++p) {
                        const Vec v = load(x + p * channels + m, n) - first;
                        one += v;
                        two += v * v;
                    }
                    store(sums.data() + m, one, n);
                    store(sums.data() + channels + m, two, n);
                }
                for (int64_t i = 0; i < width; ++i) parts[slice * width + i] += sums[i];
            }
        }
    }
    for (int64_t c = 0; c < channels; ++c) {
        double one = 0, two = 0;
        for (int64_t slice = 0; slice < slices; ++slice) {
            one += parts[slice * width + c];
            two += parts[slice * width + channels + c];
        }
        E first[kLanes] = {x[c]};
        const double shift = load(first)[0], centre = one / pixels;
        mean[c] = shift + centre;
        variance[c] = std::max(two / pixels - centre * centre, 0.0);
        if (centre != centre) variance[c] = centre;
    }
}

template <class E>
void forward_any(const Layer* l, const void* x, const float* scale, const float* shift, void* out) {
    auto run = l->pool == 1 ? forward<E, 1, false> : l->pool == 2 ? forward<E, 2, false> : forward<E, 0, false>;
    if (l->pool > 1 && l->ranked()) run = l->pool == 2 ? forward<E, 2, true> : forward<E, 0, true>;
    run(*l, (const E*)x, scale, shift, (E*)out);
}

template <class E>
void backward_any(const Layer* l, const void* x, const void* grad, const float* scale, const float* shift,
                  const float* mean, void* by_y, double* sums) {
    auto run = l->pool == 1 ? backward<E, 1, false> : l->pool == 2 ? backward<E, 2, false> : backward<E, 0, false>;
    if (l->pool > 1 && l->ranked()) run = l->pool == 2 ? backward<E, 2, true> : backward<E, 0, true>;
    run(*l, (const E*)x, (const E*)grad, scale, shift, mean, (E*)by_y, sums);
}

}  // namespace

extern "C" {

void neuron_moments(int32_t half, int64_t pixels, int64_t channels, int32_t threads, const void* x, double* mean,
                    double* variance) {
    if (half)
        moments(pixels, channels, threads, (const Bfloat16*)x, mean, variance);
    else
        moments(pixels, channels, threads, (const float*)x, mean, variance);
}

void neuron_forward(int32_t half, const Layer* l, const void* x, const float* scale, const float* shift, void* out) {
    (half ? forward_any<Bfloat16> : forward_any<float>)(l, x, scale, shift, out);
}

// sums: of the gradient of y, of that times (x - mean), of the ratio; [3][channels].
void neuron_backward(int32_t half, const Layer* l, const void* x, const void* grad, const float* scale,
                     const float* shift, const float* mean, void* by_y, double* sums) {
    (half ? backward_any<Bfloat16> : backward_any<float>)(l, x, grad, scale, shift, mean, by_y, sums);
}

void neuron_finish(int32_t half, int64_t pixels, int64_t channels, int32_t threads, const void* x, const float* gain,
                   const float* offset, const float* slope, const float* mean, void* by_y) {
    if (half)
        finish(pixels, channels, threads, (const Bfloat16*)x, gain, offset, slope, mean, (Bfloat16*)by_y);
    else
        finish(pixels, channels, threads, (const float*)x, gain, offset, slope, mean, (float*)by_y);
}
}
