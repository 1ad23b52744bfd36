#include "base/index.hpp"
#include "lanes/primitive_program.hpp"
#include "native/code_image.hpp"
#include "native/plug_in.hpp"
#include "native/x86_code.hpp"

#include <gemel/sim/native_code.hpp>

#include <dlfcn.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cstring>
#include <limits>
#include <mutex>
#include <stdexcept>

namespace gemel::sim {
namespace {

/// Programs that became code: which functions of the image belong to each.
struct Expanded {
    std::vector<PrimitiveProgram> programs;
    std::vector<std::string> names; ///< of all functions, program after program
};

void check_width(int width) {
    if (width != 1 && (width <= 0 || width % 8 != 0))
        throw std::invalid_argument(
            fmt::format("NativeCode: width {} is neither 1 nor a multiple of 8", width));
}

Expanded expand_all(std::span<const LaneProgram* const> programs,
                    const WorkspaceLayout& layout,
                    const Cut& cut = {}) {
    Expanded expanded;
    for (const LaneProgram* program : programs) {
        expanded.programs.push_back(expand(*program, layout, cut));
        const std::size_t n = expanded.programs.back().functions.size();
        for (std::size_t part = 0; part < n; ++part)
            expanded.names.push_back(fmt::format("p{}_{}", expanded.programs.size() - 1, part));
    }
    return expanded;
}

/// All that decides on the code: what it computes, for what, and who made it.
std::vector<unsigned char>
key_of(const Expanded& expanded, const NativeTarget& target, int width, int level) {
    std::string text = fmt::format("gemel native code/{} {} llvm {}\n{} {} {}\nwidth {} level {}\n",
                                   plug_in_interface,
                                   GEMEL_VERSION,
                                   GEMEL_LLVM_VERSION,
                                   target.triple,
                                   target.cpu,
                                   target.features,
                                   width,
                                   level);
    std::vector<unsigned char> key(text.begin(), text.end());
    for (const PrimitiveProgram& program : expanded.programs)
        for (const PrimitiveFunction& function : program.functions) {
            const std::uint64_t n = function.size();
            const auto* count = reinterpret_cast<const unsigned char*>(&n);
            key.insert(key.end(), count, count + sizeof n);
            const auto* ops = reinterpret_cast<const unsigned char*>(function.data());
            key.insert(key.end(), ops, ops + n * sizeof(PrimitiveOp));
        }
    return key;
}
static_assert(sizeof(PrimitiveOp) == 24, "no padding: its bytes are hashed");

/// Offsets, then the code; numbers as the machine writes them.
std::vector<unsigned char> packed(const CodeImage& image) {
    const std::uint64_t n = image.entries.size();
    std::vector<unsigned char> bytes(sizeof n * (1 + n));
    std::memcpy(bytes.data(), &n, sizeof n);
    std::memcpy(bytes.data() + sizeof n, image.entries.data(), sizeof n * n);
    bytes.insert(bytes.end(), image.bytes.begin(), image.bytes.end());
    return bytes;
}

std::optional<CodeImage> unpacked(std::span<const unsigned char> bytes, std::size_t n_functions) {
    std::uint64_t n = 0;
    const std::size_t head = sizeof n * (1 + n_functions);
    if (bytes.size() <= head) return std::nullopt;
    std::memcpy(&n, bytes.data(), sizeof n);
    if (n != n_functions) return std::nullopt;
    CodeImage image;
    image.entries.resize(n_functions);
    std::memcpy(image.entries.data(), bytes.data() + sizeof n, sizeof n * n);
    const auto code = bytes.subspan(head);
    for (const std::uint64_t entry : image.entries)
        if (entry >= code.size()) return std::nullopt;
    image.bytes.assign(code.begin(), code.end());
    return image;
}

class NativeKernel final : public Kernel {
public:
    NativeKernel(std::shared_ptr<const LoadedCode> code,
                 std::vector<LoadedCode::Function> functions,
                 int n_slots)
        : code_(std::move(code)),
          functions_(std::move(functions)),
          n_slots_(n_slots) {}

    int n_slots() const override { return n_slots_; }
    void run(double* workspace) const noexcept override {
        for (const LoadedCode::Function function : functions_)
            function(workspace);
    }

private:
    std::shared_ptr<const LoadedCode> code_;
    std::vector<LoadedCode::Function> functions_;
    int n_slots_;
};

class NativeModule final : public Executor {
public:
    NativeModule(std::span<const LaneProgram* const> programs,
                 const WorkspaceLayout& layout,
                 int width,
                 const Expanded& expanded,
                 const CodeImage& image)
        : layout_(layout),
          width_(width),
          code_(std::make_shared<const LoadedCode>(image)) {
        std::size_t entry = 0;
        for (std::size_t i = 0; i < programs.size(); ++i) {
            Compiled& compiled = compiled_.emplace_back();
            compiled.program = *programs[i];
            compiled.n_slots = expanded.programs[i].n_slots;
            for (std::size_t k = 0; k < expanded.programs[i].functions.size(); ++k)
                compiled.functions.push_back(code_->function(entry++));
        }
    }

    std::unique_ptr<Kernel>
    compile(const LaneProgram& program, const WorkspaceLayout& layout, int width) const override {
        if (width == width_ && layout.counts == layout_.counts)
            for (const Compiled& compiled : compiled_)
                if (compiled.program == program)
                    return std::make_unique<NativeKernel>(
                        code_, compiled.functions, compiled.n_slots);
        return interpreter().compile(program, layout, width);
    }

private:
    struct Compiled {
        LaneProgram program;
        std::vector<LoadedCode::Function> functions;
        int n_slots = 0;
    };
    WorkspaceLayout layout_;
    int width_;
    std::shared_ptr<const LoadedCode> code_;
    std::vector<Compiled> compiled_;
};

/// The vectors of a target that code is made for at once; none: by LLVM alone.
std::optional<VectorSet> vector_set_of(const std::optional<NativeTarget>& target) {
    if (!target || !target->triple.starts_with("x86_64")) return std::nullopt;
    if (target->cpu == "x86-64-v4") return VectorSet::avx512;
    if (target->cpu == "x86-64-v3") return VectorSet::avx2;
    return std::nullopt;
}

} // namespace

/// Opened at first use, once.
class NativeCode::PlugIn {
public:
    /// @throws std::runtime_error naming what is wrong
    std::vector<unsigned char> emit(const std::vector<std::string>& paths,
                                    const GemelRequest& request) {
        const GemelPlugIn& table = open(paths);
        GemelReply reply{};
        table.emit(&request, &reply);
        const std::string error = reply.error != nullptr ? reply.error : "";
        std::vector<unsigned char> object(reply.object, reply.object + reply.size);
        table.free(&reply);
        if (!error.empty()) throw std::runtime_error("native code: LLVM says: " + error);
        return object;
    }

    static std::string first_there(const std::vector<std::string>& paths) {
        for (const std::string& path : paths)
            if (access(path.c_str(), R_OK) == 0) return path;
        return {};
    }
    static std::string not_there() {
        return std::string("native code is not there: ") +
               (std::strlen(GEMEL_LLVM_VERSION) == 0
                    ? "this build has no LLVM (CMake option GEMEL_LLVM)"
                    : "libgemel_llvm.so was not found beside the program or in ../lib/gemel");
    }

private:
    const GemelPlugIn& open(const std::vector<std::string>& paths) {
        const std::lock_guard lock(mutex_);
        if (table_ != nullptr) return *table_;
        const std::string path = first_there(paths);
        if (path.empty()) throw std::runtime_error(not_there());
        // Never closed: LLVM leaves what runs at exit.
        void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
        if (library == nullptr)
            throw std::runtime_error(fmt::format("native code: cannot open {}", dlerror()));
        const auto get =
            reinterpret_cast<GemelPlugInFunction>(dlsym(library, "gemel_llvm_plug_in"));
        const GemelPlugIn* table = get != nullptr ? get() : nullptr;
        if (table == nullptr || table->interface != plug_in_interface)
            throw std::runtime_error(
                fmt::format("native code: {} belongs to another version of Gemel", path));
        table_ = table;
        return *table_;
    }

    std::mutex mutex_;
    const GemelPlugIn* table_ = nullptr;
};

std::optional<NativeTarget> this_machine() {
#if defined(__x86_64__)
    if (!__builtin_cpu_supports("x86-64-v3")) return std::nullopt;
    return NativeTarget{"x86_64-unknown-linux-gnu",
                        __builtin_cpu_supports("x86-64-v4") ? "x86-64-v4" : "x86-64-v3",
                        ""};
#elif defined(__aarch64__)
    return NativeTarget{"aarch64-unknown-linux-gnu", "generic", ""};
#else
    return std::nullopt;
#endif
}

NativeCode::NativeCode(NativeOptions options)
    : options_(std::move(options)),
      plug_in_(std::make_unique<PlugIn>()) {}

NativeCode::~NativeCode() = default;

std::string NativeCode::why_not() const {
    if (!options_.target)
        return "native code needs a machine of the level x86-64-v3 (AVX2, FMA), or aarch64";
    if (is_at_once()) return {};
    return PlugIn::first_there(options_.plug_ins).empty() ? PlugIn::not_there() : std::string{};
}

bool NativeCode::is_at_once() const {
    return options_.maker == CodeMaker::built_in && vector_set_of(options_.target).has_value();
}

std::shared_ptr<const Executor> NativeCode::made_at_once(
    std::span<const LaneProgram* const> programs, const WorkspaceLayout& layout, int width) const {
    constexpr int whole = std::numeric_limits<int>::max();
    Expanded expanded = expand_all(programs, layout, {.uncut = whole, .longest = whole});
    const X86Code code = x86_code(expanded.programs, width, *vector_set_of(options_.target));
    for (std::size_t i = 0; i < expanded.programs.size(); ++i)
        expanded.programs[i].n_slots = code.n_slots[i];
    return std::make_shared<const NativeModule>(programs, layout, width, expanded, code.image);
}

std::shared_ptr<const Executor> NativeCode::compile(std::span<const LaneProgram* const> programs,
                                                    const WorkspaceLayout& layout,
                                                    int width) const {
    check_width(width);
    if (is_at_once() && width > 1) return made_at_once(programs, layout, width);
    if (auto found = stored(programs, layout, width)) return found;
    if (!options_.target || PlugIn::first_there(options_.plug_ins).empty())
        throw std::runtime_error(is_at_once() ? PlugIn::not_there() : why_not());
    const Expanded expanded = expand_all(programs, layout);
    std::vector<GemelFunction> functions;
    for (const PrimitiveProgram& program : expanded.programs)
        for (const PrimitiveFunction& function : program.functions)
            functions.push_back(
                {expanded.names[functions.size()].c_str(), function.data(), function.size()});
    const GemelRequest request{functions.data(),
                               functions.size(),
                               static_cast<std::uint32_t>(width),
                               options_.target->triple.c_str(),
                               options_.target->cpu.c_str(),
                               options_.target->features.c_str(),
                               static_cast<std::uint32_t>(options_.level)};
    const CodeImage image = link_object(plug_in_->emit(options_.plug_ins, request), expanded.names);
    if (options_.store != nullptr)
        options_.store->put(key_of(expanded, *options_.target, width, options_.level),
                            packed(image));
    return std::make_shared<const NativeModule>(programs, layout, width, expanded, image);
}

std::shared_ptr<const Executor> NativeCode::stored(std::span<const LaneProgram* const> programs,
                                                   const WorkspaceLayout& layout,
                                                   int width) const {
    check_width(width);
    if (options_.store == nullptr || !options_.target || is_at_once()) return nullptr;
    const Expanded expanded = expand_all(programs, layout);
    const auto bytes =
        options_.store->get(key_of(expanded, *options_.target, width, options_.level));
    if (!bytes) return nullptr;
    const auto image = unpacked(*bytes, expanded.names.size());
    if (!image) return nullptr;
    return std::make_shared<const NativeModule>(programs, layout, width, expanded, *image);
}

} // namespace gemel::sim
