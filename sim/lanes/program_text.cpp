#include <gemel/sim/lane_program.hpp>

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <limits>
#include <optional>
#include <stdexcept>

namespace gemel::sim {
namespace {

constexpr std::string_view first_line = "gemel-lane-program/1";

std::string number_text(double value) {
    return std::isfinite(value) ? fmt::format("{:a}", value) : fmt::format("{}", value);
}

std::string instruction_text(const LaneProgram::Instruction& instruction) {
    if (instruction.op == Op::constant) return "constant " + number_text(instruction.value);
    if (instruction.op == Op::leaf)
        return fmt::format("load {} {}", name(instruction.leaf.kind), instruction.leaf.index);
    const std::uint32_t operands[] = {instruction.a, instruction.b, instruction.c};
    std::string text(name(instruction.op));
    for (int i = 0; i < n_operands(instruction.op); ++i)
        text += fmt::format(" v{}", operands[i]);
    return text;
}

/// Reads one program line by line; every mistake names its line.
class Reader {
public:
    explicit Reader(std::string_view text) : rest_(text) {}

    LaneProgram read() {
        next_line();
        if (line_ != first_line) fail(fmt::format("the first line must be \"{}\"", first_line));
        while (next_line())
            read_line();
        return std::move(program_);
    }

private:
    [[noreturn]] void fail(const std::string& why) const {
        throw std::invalid_argument(fmt::format("lane program, line {}: {}", line_number_, why));
    }

    bool next_line() {
        if (rest_.empty()) return false;
        const std::size_t end = rest_.find('\n');
        line_ = rest_.substr(0, end);
        rest_ = end == std::string_view::npos ? std::string_view{} : rest_.substr(end + 1);
        words_ = line_;
        ++line_number_;
        return true;
    }

    std::string_view word() {
        const std::size_t end = words_.find(' ');
        const std::string_view found = words_.substr(0, end);
        words_ = end == std::string_view::npos ? std::string_view{} : words_.substr(end + 1);
        if (found.empty()) fail("a word is missing");
        return found;
    }

    void read_line() {
        const std::string_view first = word();
        if (first == "name") {
            program_.name = std::string(words_);
            return;
        }
        if (first == "store")
            program_.stores.push_back(read_store());
        else
            read_instruction(first);
        if (!words_.empty()) fail(fmt::format("\"{}\" is too much", words_));
    }

    LaneProgram::Store read_store() {
        const Leaf to = leaf();
        return {to, value()};
    }

    void read_instruction(std::string_view label) {
        if (label != fmt::format("v{}", program_.instructions.size()))
            fail(fmt::format("expected v{}, store or name", program_.instructions.size()));
        if (word() != "=") fail("expected \"=\"");
        const std::string_view op = word();
        LaneProgram::Instruction instruction;
        if (op == "constant")
            instruction.value = number();
        else if (op == "load")
            instruction.leaf = leaf(), instruction.op = Op::leaf;
        else
            read_operation(op, instruction);
        program_.instructions.push_back(instruction);
    }

    void read_operation(std::string_view word_for_op, LaneProgram::Instruction& instruction) {
        for (int i = 0; i < n_ops; ++i)
            if (n_operands(static_cast<Op>(i)) > 0 && name(static_cast<Op>(i)) == word_for_op)
                instruction.op = static_cast<Op>(i);
        if (instruction.op == Op::constant)
            fail(fmt::format("\"{}\" is no operation", word_for_op));
        std::uint32_t* operands[] = {&instruction.a, &instruction.b, &instruction.c};
        for (int i = 0; i < n_operands(instruction.op); ++i)
            *operands[i] = value();
    }

    template <class Integer>
    Integer integer(std::string_view text) {
        Integer read = 0;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), read);
        if (error != std::errc() || end != text.data() + text.size() || read < 0)
            fail(fmt::format("\"{}\" is no number of a slot or value", text));
        return read;
    }

    std::uint32_t value() {
        const std::string_view text = word();
        if (text.front() != 'v') fail(fmt::format("expected a value such as v0, not \"{}\"", text));
        const auto read = integer<std::int64_t>(text.substr(1));
        if (read >= static_cast<std::int64_t>(program_.instructions.size()))
            fail(fmt::format("{} is not computed yet", text));
        return static_cast<std::uint32_t>(read);
    }

    Leaf leaf() {
        const std::string_view kind = word();
        for (int i = 0; i < n_leaf_kinds; ++i)
            if (name(static_cast<LeafKind>(i)) == kind)
                return {static_cast<LeafKind>(i), integer<int>(word())};
        fail(fmt::format("\"{}\" is no kind of slot", kind));
    }

    /// [-]0x1.8p+1, [-]inf or nan; a locale changes nothing.
    double number() {
        std::string_view text = word();
        const bool is_negative = text.front() == '-';
        if (is_negative) text.remove_prefix(1);
        double size = std::numeric_limits<double>::quiet_NaN();
        if (text == "inf")
            size = std::numeric_limits<double>::infinity();
        else if (text != "nan" && !read_hexadecimal(text, size))
            fail(fmt::format("\"{}\" is no hexadecimal number", text));
        return is_negative ? -size : size;
    }

    static bool read_hexadecimal(std::string_view text, double& size) {
        if (!text.starts_with("0x")) return false;
        text.remove_prefix(2);
        const char* last = text.data() + text.size();
        const auto [end, error] = std::from_chars(text.data(), last, size, std::chars_format::hex);
        return error == std::errc() && end == last;
    }

    std::string_view rest_, line_, words_;
    int line_number_ = 0;
    LaneProgram program_;
};

} // namespace

std::string to_text(const LaneProgram& program) {
    std::string text = fmt::format("{}\nname {}\n", first_line, program.name);
    for (std::size_t i = 0; i < program.instructions.size(); ++i)
        text += fmt::format("v{} = {}\n", i, instruction_text(program.instructions[i]));
    for (const LaneProgram::Store& store : program.stores)
        text += fmt::format("store {} {} v{}\n", name(store.to.kind), store.to.index, store.value);
    return text;
}

LaneProgram lane_program_from_text(std::string_view text) {
    return Reader(text).read();
}

} // namespace gemel::sim
