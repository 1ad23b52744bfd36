#include "solve/lane_set.hpp"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace gemel::sim {
namespace {

struct CodeBits {
    unsigned ones = 0, twos = 0; ///< bit k: of code k
};

CodeBits bits_of_eight(const double* codes) {
#if defined(__SSE2__)
    const auto pair = [codes](int k) { return _mm_cvttpd_epi32(_mm_loadu_pd(codes + k)); };
    const __m128i words =
        _mm_packs_epi32(_mm_unpacklo_epi64(pair(0), pair(2)), _mm_unpacklo_epi64(pair(4), pair(6)));
    const __m128i bytes = _mm_packs_epi16(words, _mm_setzero_si128());
    const auto signs = [](__m128i x) { return static_cast<unsigned>(_mm_movemask_epi8(x)); };
    return {signs(_mm_slli_epi16(bytes, 7)), signs(_mm_slli_epi16(bytes, 6))};
#else
    CodeBits bits;
    for (unsigned k = 0; k < 8; ++k) {
        const auto code = static_cast<unsigned>(codes[k]);
        bits.ones |= (code & 1U) << k;
        bits.twos |= (code >> 1U) << k;
    }
    return bits;
#endif
}

} // namespace

void find_lanes(const double* codes, int width, LaneSet& ones, LaneSet& twos) {
    if (width % 8 != 0) { // one lane
        ones.words_[0] = static_cast<std::uint64_t>(codes[0]) & 1U;
        twos.words_[0] = static_cast<std::uint64_t>(codes[0]) >> 1U;
        return;
    }
    for (int first = 0; first < width; first += 64) {
        std::uint64_t one = 0, two = 0;
        for (int k = 0; k < 64 && first + k < width; k += 8) {
            const CodeBits bits = bits_of_eight(codes + first + k);
            one |= std::uint64_t{bits.ones} << k;
            two |= std::uint64_t{bits.twos} << k;
        }
        ones.words_[static_cast<std::size_t>(first) / 64] = one;
        twos.words_[static_cast<std::size_t>(first) / 64] = two;
    }
}

} // namespace gemel::sim
