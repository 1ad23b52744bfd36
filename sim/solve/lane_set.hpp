#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace gemel::sim {

/// Some of the lanes side by side.
class LaneSet {
public:
    explicit LaneSet(int width) : words_(static_cast<std::size_t>(width + 63) / 64) {}

    bool is_empty() const {
        return std::all_of(words_.begin(), words_.end(), [](auto word) { return word == 0; });
    }
    bool has_at_least(int n) const {
        for (std::uint64_t rest : words_)
            for (; n > 0 && rest != 0; rest &= rest - 1)
                --n;
        return n <= 0;
    }
    void clear() { std::fill(words_.begin(), words_.end(), 0); }
    void insert(int lane) { word(lane) |= bit(lane); }
    void erase(int lane) { word(lane) &= ~bit(lane); }
    /// In their order; `visit` may change the set.
    template <class Visit>
    void for_each(Visit visit) const {
        for (std::size_t w = 0; w < words_.size(); ++w)
            for (std::uint64_t rest = words_[w]; rest != 0; rest &= rest - 1)
                visit(static_cast<int>(64 * w) + std::countr_zero(rest));
    }
    /// Keeps those that `holds`, called for each in their order.
    template <class Condition>
    void keep_if(Condition holds) {
        for (std::size_t w = 0; w < words_.size(); ++w) {
            std::uint64_t kept = 0;
            for (std::uint64_t rest = words_[w]; rest != 0; rest &= rest - 1) {
                const int lane = std::countr_zero(rest);
                kept |= std::uint64_t{holds(static_cast<int>(64 * w) + lane)} << lane;
            }
            words_[w] = kept;
        }
    }

    /// Codes are 0, 1, 2 or 3: sums of 1 for the first set and 2 for the second. [width]
    friend void find_lanes(const double* codes, int width, LaneSet& ones, LaneSet& twos);

private:
    std::uint64_t& word(int lane) { return words_[static_cast<std::size_t>(lane) / 64]; }
    static std::uint64_t bit(int lane) { return std::uint64_t{1} << (lane % 64); }

    std::vector<std::uint64_t> words_;
};

void find_lanes(const double* codes, int width, LaneSet& ones, LaneSet& twos);

} // namespace gemel::sim
