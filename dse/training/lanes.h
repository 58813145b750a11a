// Vectors of 16 floats and their way to and from float32 and bfloat16 memory.

#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <vector>

#ifdef __AVX512BF16__
#include <immintrin.h>
#endif

namespace {

constexpr int64_t kLanes = 16;

typedef float Vec __attribute__((vector_size(4 * kLanes)));
typedef int32_t Bits __attribute__((vector_size(4 * kLanes)));
typedef uint32_t Words __attribute__((vector_size(4 * kLanes)));
typedef uint16_t Halves __attribute__((vector_size(2 * kLanes)));

struct Bfloat16 {
    uint16_t bits;
};

Vec widen(Halves h) { return (Vec)(__builtin_convertvector(h, Words) << 16); }

// To nearest even; a NaN stays one.
Words rounded(Vec v) {
    Words w = (Words)v;
    return v == v ? w + 0x7fff + ((w >> 16) & 1) : w | 0x400000;
}

#ifdef __AVX512BF16__
Halves narrow(Vec v) { return (Halves)_mm512_cvtneps_pbh((__m512)v); }
#else
Halves narrow(Vec v) { return __builtin_convertvector(rounded(v) >> 16, Halves); }
#endif

Vec load(const float* p) {
    Vec v;
    std::memcpy(&v, p, sizeof v);
    return v;
}

void store(float* p, Vec v) { std::memcpy(p, &v, sizeof v); }

Vec load(const Bfloat16* p) {
    Halves h;
    std::memcpy(&h, p, sizeof h);
    return widen(h);
}

void store(Bfloat16* p, Vec v) {
    Halves h = narrow(v);
    std::memcpy(p, &h, sizeof h);
}

// The last channels of a pixel, where fewer than a vector are left.
template <class E>
Vec load(const E* p, int64_t n) {
    if (__builtin_expect(n >= kLanes, 1)) return load(p);
    E part[kLanes] = {};
    std::memcpy(part, p, n * sizeof(E));
    return load(part);
}

template <class E>
void store(E* p, Vec v, int64_t n) {
    if (__builtin_expect(n >= kLanes, 1)) return store(p, v);
    E part[kLanes];
    store(part, v);
    std::memcpy(p, part, n * sizeof(E));
}

Vec zero() { return Vec{}; }

}  // namespace
