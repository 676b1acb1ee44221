"""Programs that a test runs in a process of their own, for what they do may
end it: ``python -m tests.native.cases.MODULE CASE THREADS``. A case is a
function of the module; it raises what is wrong."""
