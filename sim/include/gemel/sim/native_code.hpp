#pragma once

#include <gemel/sim/lane_program.hpp>

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

/// Native code: the second executor, with the interpreter's bits at several times its speed.
namespace gemel::sim {

/// Bytes by key, kept from one run to the next by whoever has files. From any thread.
class ByteStore {
public:
    virtual ~ByteStore() = default;
    /// What was last put there, or nothing: an entry may be lost at any time, never wrong.
    virtual std::optional<std::vector<unsigned char>> get(std::span<const unsigned char> key) = 0;
    virtual void put(std::span<const unsigned char> key, std::span<const unsigned char> value) = 0;
};

/// What code is made for.
struct NativeTarget {
    std::string triple, cpu, features;
};
/// This machine, as far as code makes use of it; nothing if it is too old for native code: of
/// x86-64 the level v3 (AVX2, FMA) is needed.
std::optional<NativeTarget> this_machine();

/// Who makes code.
enum class CodeMaker {
    built_in, ///< the engine itself, in a millisecond or a few: for x86-64; elsewhere LLVM
    llvm      ///< the plug-in, in some hundred times as long
};

struct NativeOptions {
    std::vector<std::string> plug_ins; ///< paths, tried in order
    ByteStore* store = nullptr;        ///< where LLVM's code is kept; none: nowhere. Outlives this.
    std::optional<NativeTarget> target = this_machine(); ///< for tests: less than the machine has
    CodeMaker maker = CodeMaker::built_in;
    int level = 1; ///< of LLVM's code generation, 0 … 3
};

/// Makes native code: at once, or through the LLVM plug-in or from the store. From any thread; the
/// plug-in is opened when something must be compiled by it that the store does not have, and never
/// closed.
class NativeCode {
public:
    explicit NativeCode(NativeOptions options);
    ~NativeCode();

    /// Why it cannot compile, in words; "" if it can, as far as is known before a plug-in is
    /// opened: one of the paths exists, and this machine is new enough.
    std::string why_not() const;
    /// Whether making code takes no longer than interpreting a few subjects, and keeping it is of
    /// no use.
    bool is_at_once() const;

    /// The programs as one piece of code: an executor of these at this width, which leaves anything
    /// else to the interpreter.
    ///
    /// @throws std::invalid_argument for a width that is neither 1 nor a multiple of 8, or a
    ///         program that does not fit the layout
    /// @throws std::runtime_error if a plug-in is needed and not there, or it refuses, or this
    ///         system lets no program make code
    std::shared_ptr<const Executor> compile(std::span<const LaneProgram* const> programs,
                                            const WorkspaceLayout& layout,
                                            int width) const;
    /// What the store has of LLVM's code of them, else nothing.
    std::shared_ptr<const Executor> stored(std::span<const LaneProgram* const> programs,
                                           const WorkspaceLayout& layout,
                                           int width) const;

private:
    class PlugIn;
    std::shared_ptr<const Executor> made_at_once(std::span<const LaneProgram* const> programs,
                                                 const WorkspaceLayout& layout,
                                                 int width) const;

    NativeOptions options_;
    std::unique_ptr<PlugIn> plug_in_;
};

} // namespace gemel::sim
