#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

/// Bytes of what outlives a process. A type lists its members once, for both directions:
///
///     template <class Archive>
///     void archive(Archive& a) { a(first_, second_); }
///
/// Plain numbers and structs of them are taken as they stand in memory: what is kept is read by the
/// same program on the same kind of machine.
namespace gemel::sim {

namespace detail {

template <class T>
struct Kept {
    template <class Archive>
    static void archive(Archive& a, T& value) {
        if constexpr (requires { value.archive(a); }) {
            value.archive(a);
        } else {
            static_assert(std::is_trivially_copyable_v<T> && !std::is_pointer_v<T>,
                          "a type that is kept is plain or has archive()");
            a.raw(&value, sizeof value);
        }
    }
};

template <class T>
struct Kept<std::vector<T>> {
    template <class Archive>
    static void archive(Archive& a, std::vector<T>& values) {
        values.resize(a.count(values.size()));
        if constexpr (std::is_trivially_copyable_v<T>) {
            if (!values.empty()) a.raw(values.data(), values.size() * sizeof(T));
        } else {
            for (T& value : values)
                a(value);
        }
    }
};

template <>
struct Kept<std::string> {
    template <class Archive>
    static void archive(Archive& a, std::string& text) {
        text.resize(a.count(text.size()));
        a.raw(text.data(), text.size());
    }
};

template <class T, std::size_t n>
struct Kept<std::array<T, n>> {
    template <class Archive>
    static void archive(Archive& a, std::array<T, n>& values) {
        if constexpr (std::is_trivially_copyable_v<T>)
            a.raw(values.data(), sizeof values);
        else
            for (T& value : values)
                a(value);
    }
};

template <class T>
struct Kept<std::unique_ptr<T>> {
    template <class Archive>
    static void archive(Archive& a, std::unique_ptr<T>& value) {
        const bool is_there = a.count(value != nullptr) != 0;
        if (is_there && !value) value = std::make_unique<T>();
        if (is_there) a(*value);
    }
};

template <class Key, class T>
struct Kept<std::map<Key, T>> {
    template <class Archive>
    static void archive(Archive& a, std::map<Key, T>& values) {
        const std::uint64_t n = a.count(values.size());
        if constexpr (!Archive::is_loading) {
            for (auto& [key, value] : values) {
                Key copy = key;
                a(copy, value);
            }
        } else {
            values.clear();
            for (std::uint64_t i = 0; i < n; ++i) {
                Key key{};
                T value{};
                a(key, value);
                values.emplace(std::move(key), std::move(value));
            }
        }
    }
};

} // namespace detail

/// Gives bytes in pieces of some 64 KiB, so that what is kept needs no room beside what it is kept
/// of.
class Saver {
public:
    static constexpr bool is_loading = false;
    using Take = std::function<void(std::string_view bytes)>;

    explicit Saver(Take take) : take_(std::move(take)) {}
    Saver(const Saver&) = delete;
    Saver& operator=(const Saver&) = delete;

    template <class... T>
    void operator()(T&... values) {
        (detail::Kept<T>::archive(*this, values), ...);
    }
    void raw(const void* from, std::size_t size) {
        piece_.append(static_cast<const char*>(from), size);
        if (piece_.size() >= piece_size) flush();
    }
    std::uint64_t count(std::uint64_t n) {
        raw(&n, sizeof n);
        return n;
    }
    void flush() { ///< after the last
        take_(piece_);
        piece_.clear();
    }

private:
    static constexpr std::size_t piece_size = std::size_t{64} << 10;
    Take take_;
    std::string piece_;
};

/// Takes in the same order what a Saver gave.
class Loader {
public:
    static constexpr bool is_loading = true;

    explicit Loader(std::string_view bytes) : left_(bytes) {}

    /// @throws std::runtime_error if there is less than asked for
    template <class... T>
    void operator()(T&... values) {
        (detail::Kept<T>::archive(*this, values), ...);
    }
    void raw(void* to, std::size_t size) {
        if (size > left_.size()) refuse();
        if (size > 0) std::memcpy(to, left_.data(), size);
        left_.remove_prefix(size);
    }
    /// No more things than bytes that follow.
    std::uint64_t count(std::uint64_t) {
        std::uint64_t n = 0;
        raw(&n, sizeof n);
        if (n > 1 && n > left_.size()) refuse();
        return n;
    }
    bool is_at_end() const { return left_.empty(); }

private:
    [[noreturn]] static void refuse() {
        throw std::runtime_error("what a run kept ends too early");
    }
    std::string_view left_;
};

} // namespace gemel::sim
